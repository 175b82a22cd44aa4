// The one crosshair of all charts. uPlot carries the line from chart to chart; here is its time, for the readouts.
type Reader = () => void;

class Crosshair {
  time: number | null = null; // s
  private readers = new Set<Reader>();

  move(time: number | null): void {
    if (time === this.time) return;
    this.time = time;
    this.readers.forEach((r) => r());
  }

  subscribe(fn: Reader): () => void {
    this.readers.add(fn);
    return () => this.readers.delete(fn);
  }
}

export const crosshair = new Crosshair();
