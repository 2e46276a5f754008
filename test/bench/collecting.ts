// Loaded into an operator before anything else: has it collect its garbage each second, so that its heap holds what it
// keeps and nothing that it is done with.
setInterval(() => globalThis.gc?.(), 1_000).unref();
