/** `keks/guard/jwt`: what `keks-guard/jwt` is. */
export * from 'keks-guard/jwt';
