/** The part of WebAssembly that the compositor uses; Node's typings leave it to the DOM library. */
declare namespace WebAssembly {
  class Memory {
    constructor(size: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
    /** Opaque: compiled code is only ever handed on. */
    private readonly code: never;
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, Memory>>);
    readonly exports: Record<string, ((...sizes: number[]) => void) | undefined>;
  }
}
