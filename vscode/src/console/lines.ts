import { StringDecoder } from "node:string_decoder";

/** Lines of a stream that comes in pieces, which may end within a line or a character. */
export class Lines {
  private readonly decoder = new StringDecoder("utf8");
  private parts: string[] = [];
  private chars = 0;
  private skipping = false;

  /**
   * @param limit characters of a line; a longer one is left out
   * @param tooLong called once for each line that is left out
   */
  constructor(
    private readonly limit: number,
    private readonly tooLong: () => void,
  ) {}

  /** The lines that this piece completes, without their ends. */
  push(piece: Uint8Array): string[] {
    const parts = this.decoder.write(Buffer.from(piece)).split("\n");
    const rest = parts.pop() ?? "";
    const lines: string[] = [];
    for (const part of parts) {
      this.add(part);
      if (!this.skipping) lines.push(this.parts.join(""));
      this.restart();
    }
    this.add(rest);
    return lines;
  }

  private add(part: string): void {
    if (this.skipping) return;
    this.chars += part.length;
    if (this.chars > this.limit) {
      this.skipping = true;
      this.parts = [];
      this.tooLong();
      return;
    }
    this.parts.push(part);
  }

  private restart(): void {
    this.parts = [];
    this.chars = 0;
    this.skipping = false;
  }
}
