/** `keks/guard`, for whoever has `keks` installed already: what `keks-guard` is. */
export * from 'keks-guard';
