/** The two questions that the page asks: whether something is really meant, and for the token. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { tokenAsked } from "../live/dialog-state.js";
import { useCell } from "../live/observable.js";
import { asked, type Change, type Field, notice } from "../live/operator-actions.js";
import type { Problem } from "../net/problem.js";
import { change } from "../net/request.js";
import { dropToken, setToken, token } from "../net/token.js";

export function Dialogs() {
  const waiting = useCell(asked);
  const about = useCell(tokenAsked);
  return (
    <>
      {waiting && <Confirmation key={waiting.title} change={waiting} />}
      {about && <TokenDialog why={about.why} />}
    </>
  );
}

/** The browser keeps the focus inside, closes it on Escape, and gives the focus back. */
function Modal({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

function Confirmation({ change: what }: { change: Change }) {
  const [value, setValue] = useState(what.field?.value ?? "");
  const [problem, setProblem] = useState<Problem | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const close = () => asked.set(undefined);
  const send = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    const answer = await change(what.path, what.body(value));
    setBusy(false);
    if (!answer.ok) return setProblem(answer.problem);
    notice.set(what.done);
    close();
  };
  return (
    <Modal title={what.title} onClose={close}>
      <form onSubmit={send}>
        <p>{what.text}</p>
        {what.field && <Input field={what.field} value={value} onInput={setValue} />}
        {problem && <ProblemText problem={problem} />}
        <div class="buttons">
          {/* What ends something is not to be done by an Enter too many. */}
          <button type="button" onClick={close} autofocus={what.harmful}>
            Cancel
          </button>
          <button type="submit" class={what.harmful ? "harmful" : "primary"} disabled={busy}>
            {what.verb}
          </button>
        </div>
      </form>
    </Modal>
  );
}

function Input({ field, value, onInput }: { field: Field; value: string; onInput: (value: string) => void }) {
  const { name, label, bounds } = field;
  const number = { type: "number", min: bounds?.[0], max: bounds?.[1], required: true } as const;
  const text = { type: "text", maxLength: 200 } as const;
  return (
    <label class="field">
      {label}
      <input
        name={name}
        value={value}
        autocomplete="off"
        {...(bounds ? number : text)}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
    </label>
  );
}

function ProblemText({ problem }: { problem: Problem }) {
  return (
    <p class="problem" role="alert">
      {problem.message}
      {problem.kind === "token" && (
        <>
          {" "}
          Type <code>drover page</code> and open the address it prints.
        </>
      )}
    </p>
  );
}

function TokenDialog({ why }: { why: string | undefined }) {
  const has = useCell(token) !== undefined;
  const [value, setValue] = useState("");
  const close = () => tokenAsked.set(undefined);
  const take = (event: Event) => {
    event.preventDefault();
    if (value.trim() !== "") setToken(value.trim());
    close();
  };
  return (
    <Modal title="The token of this server" onClose={close}>
      <form onSubmit={take}>
        {why !== undefined && <p>{why}</p>}
        <p>
          On the machine of the server, as the user who runs it, type <code>drover page</code> and open the
          address it prints: it carries the token. This tab keeps it until it is closed. A server that is
          started again has a new one, unless it was given one.
        </p>
        <label class="field">
          Or paste it here
          <input
            type="password"
            autocomplete="off"
            value={value}
            placeholder={has ? "One is kept for this tab" : ""}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </label>
        <div class="buttons">
          {has && (
            <button
              type="button"
              onClick={() => {
                dropToken();
                close();
              }}
            >
              Forget it
            </button>
          )}
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Keep it
          </button>
        </div>
      </form>
    </Modal>
  );
}
