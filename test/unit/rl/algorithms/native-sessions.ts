import ortBinding from 'onnxruntime-node/dist/binding.js';

const { binding } = ortBinding;

/** Counts the sessions of ONNX Runtime that this process opens from now on. */
export function countSessions(): { opened: number; released: number } {
  const count = { opened: 0, released: 0 };
  binding.InferenceSession = class extends binding.InferenceSession {
    constructor() {
      super();
      count.opened++;
    }

    override dispose(): void {
      count.released++;
      super.dispose();
    }
  };
  return count;
}
