import { html } from "hono/html";
import type { Child } from "hono/jsx";
import type { HtmlEscapedString } from "hono/utils/html";
import { Audience, mayChange } from "./for_admins.tsx";
import type { Notice } from "./notices.ts";
import { Message } from "./parts.tsx";
import { paths } from "./paths.ts";
import type { Session } from "../../http/identity/session.ts";
import { staticPath } from "./static_files.ts";
import { formatTime } from "./wording.ts";

/** A page's frame. */
export interface Frame {
  title: string;
  /** Undefined if nobody is signed in; the page then has no navigation. */
  session?: Session | undefined;
  /** The page's entry in the navigation. */
  section?: "overview" | "policy" | "runs" | "members" | "trainers" | "webhooks" | "history" | "failures";
  notice?: Notice | undefined;
  /** How often an open page updates itself. */
  refreshMs?: number | undefined;
  /** While the database is away: since when, and from when the shown state is. */
  outage?: { since: Date; shownFrom: Date | undefined } | undefined;
  /** The page's own address, if it answers a form that was sent to another one. */
  address?: string | undefined;
  /** An address to continue to at once. */
  goTo?: string;
  children?: Child;
}

const SECTIONS = [
  { key: "overview", label: "Overview", path: paths.home },
  { key: "policy", label: "Policy", path: paths.policy },
  { key: "runs", label: "Runs", path: paths.runs },
  { key: "members", label: "Members", path: paths.members },
  { key: "trainers", label: "Trainers", path: paths.trainers },
  { key: "webhooks", label: "Webhooks", path: paths.webhooks },
  { key: "history", label: "History", path: paths.history },
  { key: "failures", label: "Waiting", rest: " sign-ups", path: paths.failures },
];

/** Writes a whole page. */
export function renderPage(frame: Frame): HtmlEscapedString | Promise<HtmlEscapedString> {
  return html`<!doctype html>
${<Layout {...frame} />}`;
}

function Layout({ title, session, section, notice, refreshMs, outage, address, goTo, children }: Frame) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        {goTo !== undefined && <meta http-equiv="refresh" content={`0;url=${goTo}`} />}
        <title>{`${title} · Trainer assignment`}</title>
        <link rel="icon" type="image/svg+xml" href={staticPath("icon.svg")} />
        <link rel="stylesheet" href={staticPath("admin.css")} />
        <script type="module" src={staticPath("admin.js")}></script>
      </head>
      <body class={session === undefined ? "outside" : "inside"}>
        <a class="skip-link" href="#main">Skip to the content</a>
        <header class="masthead">
          <a class="brand" href={paths.home}>
            <img src={staticPath("icon.svg")} width="28" height="28" alt="" />
            <span>Trainer assignment</span>
          </a>
          {session !== undefined && <Navigation session={session} section={section} />}
          {session !== undefined && !mayChange(session) && (
            <p class="audience">
              You are signed in as a viewer: you can look at everything, and change nothing.
            </p>
          )}
        </header>
        <Connection outage={outage} />
        <main
          id="main"
          tabindex={-1}
          data-address={address}
          data-refresh-ms={refreshMs}
          data-read-at={(outage === undefined ? new Date() : outage.shownFrom)?.toISOString()}
        >
          {notice !== undefined && (
            <p class={`notice ${notice.tone}`} role="status" data-kept>
              {notice.text}
              {notice.detail !== undefined && <Message text={notice.detail} />}
            </p>
          )}
          <Audience session={session}>{children}</Audience>
        </main>
        <footer class="colophon">
          <a href="/docs">API</a>
          <a href={paths.health}>Health</a>
          <span>Times are UTC.</span>
        </footer>
      </body>
    </html>
  );
}

/** Says that the shown state may be old. The script fills it when it cannot reach the service. */
function Connection({ outage }: Pick<Frame, "outage">) {
  if (outage === undefined) return <div id="connection" class="connection" role="status" hidden></div>;
  const problem = `The database has not answered since ${formatTime(outage.since)}.`;
  return (
    <div id="connection" class="connection" role="status" data-problem={problem}>
      {problem}
      {outage.shownFrom !== undefined && ` The page shows the state of ${formatTime(outage.shownFrom)}.`}
    </div>
  );
}

function Navigation({ session, section }: { session: Session; section: Frame["section"] }) {
  return (
    <>
      <nav aria-label="Pages">
        <ul>
          {SECTIONS.map(({ key, label, rest, path }) => (
            <li>
              <a href={path} aria-current={key === section ? "page" : undefined}>
                {label}
                {rest !== undefined && <span class="rest">{rest}</span>}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <form class="account" method="post" action={paths.signOut}>
        <span class="who" title={`Signed in until ${formatTime(session.expiresAt)}`}>{session.name}</span>
        <button class="quiet" type="submit">Sign out</button>
      </form>
    </>
  );
}
