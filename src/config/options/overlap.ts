/** Whether two addresses can be bound on one port at the same time. */
import { isIPv6 } from "node:net";

/** Whether one port cannot be bound on both. A wildcard covers every address of its families. */
export function overlap(one: string, other: string): boolean {
  if (one === other || one === "::" || other === "::") return true;
  if (one === "0.0.0.0") return !isIPv6(other);
  if (other === "0.0.0.0") return !isIPv6(one);
  const isLoopback = (host: string) => host === "127.0.0.1" || host === "::1";
  return (one === "localhost" && isLoopback(other)) || (other === "localhost" && isLoopback(one));
}
