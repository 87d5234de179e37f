/** Details of one process: actions, trace, information, state, links. */
import { useEffect, useState } from "preact/hooks";
import type { StateView, TreeNode } from "../../../../control/tree.js";
import { request } from "../../live/dialog-state.js";
import { useObservable } from "../../live/observable.js";
import { killing, nodeOf, resuming, suspending } from "../../live/operator-actions.js";
import { type Polled, usePolled } from "../../live/polling.js";
import { selected } from "../../live/selection.js";
import { tree } from "../../live/server-state.js";
import { useTrace } from "../../live/trace-stream.js";
import { shown, words } from "../../model/format.js";
import { inPath } from "../../net/request.js";
import { State } from "../state-label.js";
import { Pairs } from "./pairs.js";
import { LastMessages, Trace } from "./trace.js";

type Info = Readonly<Record<string, unknown>>;

const INFO_EVERY = 1_000;
/** Less often, because the process answers each request as a message. */
const STATE_EVERY = 2_000;
/** Fields that are shown elsewhere in the panel. */
const APART = ["pid", "links", "state", "label"];

export function ProcessPanel({ pid, onClose }: { pid: string; onClose: () => void }) {
  useObservable(tree);
  const info = usePolled<Info>(`/info/${inPath(pid)}`, INFO_EVERY);
  const held = usePolled<StateView>(`/state/${inPath(pid)}`, STATE_EVERY);
  const node = useNode(pid, info.value);
  const ended = info.problem?.kind === "missing";
  const traced = useTrace(pid, !ended);
  const listener = typeof info.value?.listener === "string" ? info.value.listener : undefined;
  const [long, setLong] = useState(false);
  return (
    <>
      <div class="title">
        <h2>
          {node.kind === "listener" && listener !== undefined ? `${node.name} ${listener}` : node.name}{" "}
          <span class="pid">{pid}</span>
        </h2>
        {ended ? <State state="ended" /> : node.state !== undefined && <State state={node.state} />}
        <button type="button" class="quiet close" onClick={onClose}>
          Close
        </button>
      </div>
      {ended ? (
        <p class="problem" role="status">
          This process has ended.{info.value === undefined ? "" : " Below is its last known state."}
        </p>
      ) : (
        <div class="buttons">
          <button type="button" aria-expanded={long} onClick={() => setLong(!long)}>
            {long ? "Hide trace" : "Trace"}
          </button>
          <Actions node={node} listener={listener} />
        </div>
      )}
      {long && <Trace traced={traced} ended={ended} />}
      {info.value && <Facts info={info.value} />}
      {!long && <LastMessages traced={traced} ended={ended} />}
      <ProcessState held={held} info={info.value} ended={ended} />
      <Links of={info.value?.links} />
    </>
  );
}

/** The tree node of a process; of connections that the tree omits it is made from their information. */
function useNode(pid: string, info: Info | undefined): TreeNode {
  const found = nodeOf(pid);
  const [last, setLast] = useState(found);
  useEffect(() => {
    if (found) setLast(found);
  }, [found]);
  const said = (key: string) => (typeof info?.[key] === "string" ? (info[key] as string) : undefined);
  const shownInTree = (found ?? last)?.state;
  // The tree says `running` like the metrics, the listener itself `listening`.
  const state = found?.kind === "listener" ? shownInTree : (said("state") ?? shownInTree);
  const made: TreeNode = found ??
    last ?? {
      pid,
      name: said("protocol") ?? said("label") ?? "process",
      kind: info && "protocol" in info ? "connection" : "process",
      detail: said("peer") ?? "",
      children: [],
    };
  return state === undefined ? made : { ...made, state };
}

function Actions({ node, listener: name }: { node: TreeNode; listener: string | undefined }) {
  return (
    <>
      {node.kind === "listener" &&
        (node.state === "suspended" ? (
          <button type="button" onClick={() => request(resuming(name))}>
            Resume
          </button>
        ) : (
          <button type="button" onClick={() => request(suspending(name))}>
            Suspend
          </button>
        ))}
      <button type="button" class="harmful quietly" onClick={() => request(killing(node))}>
        Kill
      </button>
    </>
  );
}

function Facts({ info }: { info: Info }) {
  const rows = Object.entries(info)
    .filter(([key]) => !APART.includes(key))
    .map(
      ([key, value]) => [words(key), isPid(value) ? <PidButton pid={value} /> : shown(key, value)] as const,
    );
  return <Pairs rows={rows} />;
}

const MOST_LINKS = 40;

function Links({ of }: { of: unknown }) {
  const links = Array.isArray(of) ? of.filter(isPid) : [];
  if (links.length === 0) return null;
  return (
    <>
      <h3>Links</h3>
      <p class="links">
        {links.slice(0, MOST_LINKS).map((link) => (
          <PidButton key={link} pid={link} />
        ))}
        {links.length > MOST_LINKS && <span class="muted">and {links.length - MOST_LINKS} more</span>}
      </p>
    </>
  );
}

function isPid(value: unknown): value is string {
  return typeof value === "string" && /^<\d+\.\d+>$/.test(value);
}

function PidButton({ pid }: { pid: string }) {
  return (
    <button type="button" class="pid" onClick={() => selected.set(pid)}>
      {pid}
    </button>
  );
}

interface ProcessStateProps {
  readonly held: Polled<StateView>;
  readonly info: Info | undefined;
  readonly ended: boolean;
}

function ProcessState({ held: { value, problem }, info, ended }: ProcessStateProps) {
  if (value === undefined) {
    return problem === undefined || ended ? null : (
      <>
        <h3>State</h3>
        <p class="muted">{problem.message}</p>
      </>
    );
  }
  const { log, ...status } = value.status;
  const more = Object.entries(status).filter(([key]) => !APART.includes(key) && !(key in (info ?? {})));
  return (
    <>
      <h3>State</h3>
      {value.data !== "undefined" && <pre>{value.data}</pre>}
      <Pairs rows={more.map(([key, one]) => [words(key), shown(key, one)] as const)} />
      {Array.isArray(log) && log.length > 0 && (
        <>
          <h3>Events of sys.log</h3>
          <pre>{log.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n")}</pre>
        </>
      )}
    </>
  );
}
