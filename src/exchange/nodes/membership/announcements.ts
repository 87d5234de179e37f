/** What a server says of itself to the others: hello, goodbye, and that it has the name of one that is younger. */
import { RecordWriter } from "../../records/records.js";
import type { Carrier } from "../carrier.js";
import { HEADER, type Hello, PEER_KIND, type PeerHeader, writeHeader } from "../peer/peer-records.js";
import type { PeerStream } from "../peer/peer-stream.js";

export class Announcements {
  readonly node: string;
  readonly hello: Hello;
  readonly #carrier: Carrier;
  readonly #header: (sequence: number) => PeerHeader;
  /** Of what goes to all: twice a second, and its buffer has 64 KiB. */
  readonly #writer = new RecordWriter();
  readonly #text: Buffer;

  /** @param header of a batch that begins now */
  constructor(node: string, hello: Hello, carrier: Carrier, header: (sequence: number) => PeerHeader) {
    this.node = node;
    this.hello = hello;
    this.#text = Buffer.from(JSON.stringify(hello));
    this.#carrier = carrier;
    this.#header = header;
  }

  writeHello(writer: RecordWriter): void {
    this.#write(writer, PEER_KIND.hello);
  }

  helloTo(stream: PeerStream): void {
    if (stream.room(Buffer.byteLength(this.node), this.#text.length)) this.writeHello(stream.writer);
  }

  helloToAll(): void {
    this.#carrier.toAll(this.#bytes((writer) => this.writeHello(writer)));
  }

  byeToAll(): void {
    this.#carrier.toAll(this.#bytes((writer) => writer.add(PEER_KIND.bye, "", 0)));
  }

  /** Says to a server of the same name that this one is older. */
  refuse(inbox: string): void {
    this.#carrier.send(
      inbox,
      this.#bytes((writer) => this.#write(writer, PEER_KIND.refuse)),
    );
  }

  #write(writer: RecordWriter, kind: number): void {
    const at = writer.add(kind, this.node, this.#text.length);
    writer.buffer.set(this.#text, at);
  }

  /** @param write adds records */
  #bytes(write: (writer: RecordWriter) => void): Buffer {
    const writer = this.#writer;
    writeHeader(writer.buffer, writer.skip(HEADER), this.#header(0));
    write(writer);
    return writer.take();
  }
}
