import { paths } from "../frame/paths.ts";

/** Asks for a token, or links to the provider. */
export function SignInPage({ next, problem, openIdName }: {
  next: string;
  /** Why the last try did not succeed. */
  problem?: string | undefined;
  /** The provider's host; undefined without a provider. */
  openIdName: string | undefined;
}) {
  return (
    <div class="card sign-in">
      <h1>Sign in</h1>
      {problem !== undefined && <p class="notice bad" role="alert" id="problem">{problem}</p>}
      {openIdName !== undefined && (
        <>
          <p class="actions">
            <a class="button primary" href={`${paths.openId}?next=${encodeURIComponent(next)}`}>
              Sign in with {openIdName}
            </a>
          </p>
          <p class="or">or</p>
        </>
      )}
      <form id="sign-in" method="post" action={paths.signIn}>
        <input type="hidden" name="next" value={next} />
        <label for="token">Token</label>
        <input
          id="token"
          name="token"
          type="password"
          required
          autocomplete="current-password"
          autocapitalize="none"
          aria-describedby={problem === undefined ? "token-help" : "problem token-help"}
        />
        <button class="primary" type="submit">Sign in</button>
        <p class="meta" id="token-help">
          <code>deno task start</code>{" "}
          prints a link that signs you in. Elsewhere, an operator makes a token with{" "}
          <code>deno task token NAME admin</code>, or <code>viewer</code> for somebody who only looks.
        </p>
      </form>
    </div>
  );
}

/** Shows a message and what to do next. */
export function MessagePage({ title, text, action }: {
  title: string;
  text: string;
  action?: { label: string; path: string } | undefined;
}) {
  return (
    <div class="card message-page">
      <h1>{title}</h1>
      <p>{text}</p>
      {action !== undefined && (
        <p class="actions">
          <a class="button primary" href={action.path}>{action.label}</a>
        </p>
      )}
    </div>
  );
}
