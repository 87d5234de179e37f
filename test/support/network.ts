/** Machines of a test: network namespaces on a bridge of its own. Needs root and iproute2; removed on every way out. */
import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { isAlive } from "./os-processes.js";

const ip = (...args: string[]): string =>
  execFileSync("ip", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const quietly = (...args: string[]): void => {
  try {
    ip(...args);
  } catch {}
};

/** What tests that were killed have left behind. */
function sweep(): void {
  const dead = (osPid: string) => !isAlive(Number(osPid));
  for (const [name, osPid] of ip("netns", "list").matchAll(/^drover-(\d+)-\d+/gm))
    if (dead(osPid as string)) quietly("netns", "delete", name);
  for (const [, name, osPid] of ip("-o", "link", "show", "type", "bridge").matchAll(/^\d+: (dv(\d+)b)/gm))
    if (dead(osPid as string)) quietly("link", "delete", name as string);
}

export class Network {
  /** Of this machine, on the bridge. */
  readonly address: string;
  readonly #bridge = `dv${process.pid}b`;
  readonly #count: number;
  readonly #atExit = () => this.remove();

  /** @throws Error where namespaces are not allowed */
  constructor(count: number) {
    this.#count = count;
    sweep();
    const taken = Object.values(networkInterfaces()).flatMap((all) =>
      (all ?? []).map(({ address }) => address),
    );
    const net = Array.from({ length: 250 }, (_, at) => `10.213.${(process.pid + at) % 250}`).find(
      (one) => !taken.some((address) => address.startsWith(`${one}.`)),
    ) as string;
    this.address = `${net}.1`;
    process.once("exit", this.#atExit);
    try {
      ip("link", "add", this.#bridge, "type", "bridge");
      ip("address", "add", `${this.address}/24`, "dev", this.#bridge);
      ip("link", "set", this.#bridge, "up");
      for (let n = 1; n <= count; n++) this.#add(n, `${net}.${10 + n}/24`);
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  #add(n: number, address: string): void {
    const name = this.namespace(n);
    const peer = `dv${process.pid}p${n}`;
    ip("netns", "add", name);
    ip("link", "add", this.#link(n), "type", "veth", "peer", "name", peer);
    ip("link", "set", this.#link(n), "master", this.#bridge, "up");
    ip("link", "set", peer, "netns", name);
    ip("-n", name, "address", "add", address, "dev", peer);
    ip("-n", name, "link", "set", peer, "up");
    ip("-n", name, "link", "set", "lo", "up");
  }

  /** Name of the namespace of machine `n`, from 1. */
  namespace(n: number): string {
    return `drover-${process.pid}-${n}`;
  }

  #link(n: number): string {
    return `dv${process.pid}v${n}`;
  }

  /** Pulls the cable of machine `n`. */
  cut(n: number): void {
    ip("link", "set", this.#link(n), "down");
  }

  join(n: number): void {
    ip("link", "set", this.#link(n), "up");
  }

  remove(): void {
    process.removeListener("exit", this.#atExit);
    for (let n = 1; n <= this.#count; n++) {
      quietly("netns", "delete", this.namespace(n));
      quietly("link", "delete", this.#link(n));
    }
    quietly("link", "delete", this.#bridge);
  }
}
