import type { Health } from "../../operation/health.ts";
import type { Tone } from "../frame/parts.tsx";

const ANSWERS: Record<Health["status"], string> = {
  ready: "The service is working.",
  degraded: "The service is working, but something needs attention.",
  unavailable: "The service cannot work now.",
};

const TONES: Record<Health["checks"][keyof Health["checks"]]["status"], Tone> = {
  ok: "good",
  degraded: "warn",
  failed: "bad",
};

const STATUS_WORDS = { ok: "ok", degraded: "needs attention", failed: "failed" };

/** Shows the answer of `/readyz` to people. */
export function HealthPage({ health, isStopping }: { health: Health; isStopping: boolean }) {
  return (
    <>
      <section class="answer">
        <h1>{ANSWERS[health.status]}</h1>
        {isStopping && <p>It is about to stop, and answers until other replicas have taken over.</p>}
      </section>
      <section aria-labelledby="checks-title">
        <h2 id="checks-title">Checks</h2>
        <ul class="states">
          {Object.entries(health.checks).map(([name, { status, detail }]) => (
            <li key={name} class={TONES[status]}>
              <span>
                <strong>{nameInWords(name)}: {STATUS_WORDS[status]}.</strong>{" "}
                <bdi class="detail">{detail}</bdi>
              </span>
            </li>
          ))}
        </ul>
        <p class="meta">
          Programs ask <a href="/readyz">/readyz</a>. docs/operating.md explains each check.
        </p>
      </section>
    </>
  );
}

/** `defaultTrainer` → `Default trainer`. Failures are called as on their page. */
function nameInWords(name: string): string {
  if (name === "failures") return "Waiting sign-ups";
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.charAt(0).toUpperCase() + words.slice(1);
}
