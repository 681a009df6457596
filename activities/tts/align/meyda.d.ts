/** The part of meyda that we call: its own types do not describe the CommonJS file that Node loads. */
declare module 'meyda/dist/node/main.js' {
  const meyda: {
    bufferSize: number;
    sampleRate: number;
    melBands: number;
    numberOfMFCCCoefficients: number;
    windowingFunction: 'hanning' | 'hamming' | 'blackman' | 'sine' | 'rect';
    /** @param signal `bufferSize` samples, a power of two. */
    extract(feature: 'mfcc', signal: Float32Array): number[] | null;
    extract(feature: 'powerSpectrum', signal: Float32Array): Float32Array | null;
  };
  export default meyda;
}
