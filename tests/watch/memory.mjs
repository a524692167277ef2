// Remembers the memories of all wasm instances that are made from now on: nothing else tells how large they are.
export const memories = [];

WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(Instance, args) {
    const instance = new Instance(...args);
    memories.push(instance.exports.memory);
    return instance;
  },
});
