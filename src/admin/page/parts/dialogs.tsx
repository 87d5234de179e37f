/** Dialogs: the confirmation of an action, and the admin token. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { tokenDialog } from "../live/dialog-state.js";
import { useObservable } from "../live/observable.js";
import { asked, type Change, type Field, notice } from "../live/operator-actions.js";
import type { Problem } from "../net/problem.js";
import { change } from "../net/request.js";
import { dropToken, setToken, token } from "../net/token.js";

export function Dialogs() {
  const waiting = useObservable(asked);
  const about = useObservable(tokenDialog);
  return (
    <>
      {waiting && <Confirmation key={waiting.title} change={waiting} />}
      {about && <TokenDialog why={about.why} />}
    </>
  );
}

/** Modal dialog. The browser keeps the focus inside and closes it on Escape; the focus returns where it was. */
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
          {/* A harmful action must not be confirmed by one Enter too many. */}
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
          Run <code>drover page</code> and open the URL it prints.
        </>
      )}
    </p>
  );
}

function TokenDialog({ why }: { why: string | undefined }) {
  const has = useObservable(token) !== undefined;
  const [value, setValue] = useState("");
  const close = () => tokenDialog.set(undefined);
  const take = (event: Event) => {
    event.preventDefault();
    if (value.trim() !== "") setToken(value.trim());
    close();
  };
  return (
    <Modal title="Admin token" onClose={close}>
      <form onSubmit={take}>
        {why !== undefined && <p>{why}</p>}
        <p>
          On the server's machine, as the user that runs the server, run <code>drover page</code> and open the
          URL it prints, which contains the token. This tab stores it until the tab is closed. A restarted
          server has a new token unless one is configured.
        </p>
        <label class="field">
          Or paste the token here
          <input
            type="password"
            autocomplete="off"
            value={value}
            placeholder={has ? "A token is stored for this tab" : ""}
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
              Forget token
            </button>
          )}
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Save token
          </button>
        </div>
      </form>
    </Modal>
  );
}
