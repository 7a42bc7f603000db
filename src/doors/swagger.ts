/** `keks/guard/swagger`: what `keks-guard/swagger` is. */
export * from 'keks-guard/swagger';
