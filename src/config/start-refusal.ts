/** A start that cannot succeed as things are. The message is one line that names the mend. */
export class StartRefusal extends Error {}
