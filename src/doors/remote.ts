/** `keks/guard/remote`: what `keks-guard/remote` is. */
export * from 'keks-guard/remote';
