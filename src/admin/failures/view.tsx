import type { Failure } from "../../assignments/failures.ts";
import { paths } from "../frame/paths.ts";
import { formatCount, reasonInWords } from "../frame/wording.ts";
import { Empty, MemberLink, Message, NextPage, Table, Time } from "../frame/parts.tsx";

/** Members whose assignment failed at sign-up and waits for a retry. */
export function FailuresPage(
  { failures, next, isFirst }: { failures: Failure[]; next: string | null; isFirst: boolean },
) {
  return (
    <>
      <h1>Waiting for a retry</h1>
      <p>
        These members signed up, but the database refused their assignment. The service tries each again by
        itself: after 15 seconds at first, then ever more rarely, at least once an hour.
      </p>
      {failures.length > 0
        ? (
          <>
            <form method="post" action={paths.retryFailures}>
              <button class="primary" type="submit">Retry all now</button>
            </form>
            <FailureTable failures={failures} />
          </>
        )
        : (
          <Empty>
            {isFirst ? "Nobody waits: every sign-up was assigned, or has been by now." : "There are no more."}
          </Empty>
        )}
      <NextPage path={paths.failures} next={next} />
    </>
  );
}

function FailureTable({ failures }: { failures: Failure[] }) {
  return (
    <Table label="Failures" head={["Member", "Reason", "Code", "Tries", "Since", "Next try"]}>
      {failures.map((failure) => (
        <tr key={failure.memberId}>
          <td>
            <MemberLink id={failure.memberId} />
          </td>
          <td>
            {reasonInWords(failure.sqlstate)}
            <Message text={failure.message} />
          </td>
          <td>
            <code>{failure.sqlstate}</code>
          </td>
          <td class="number">{formatCount(failure.attempts)}</td>
          <td>
            <Time at={failure.firstFailedAt} />
          </td>
          <td>
            <Time at={failure.nextAttemptAt} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
