import type { Member } from "../../assignments/member_lookup.ts";
import type { TransferPreview } from "../../runs/transfer_preview.ts";
import { paths } from "../frame/paths.ts";
import { formatCount } from "../frame/wording.ts";
import { Bar } from "../policy/bar.tsx";
import { nameOf } from "../policy/people.ts";

/** One bar: the clients whom a trainer would get, or who would stay for one reason. */
interface Share {
  trainerId: string | null;
  words: string;
  members: number;
}

/** Shows how many clients each new trainer would get, and how many would stay and why. */
export function Shares({ preview: { shares }, members }: {
  preview: TransferPreview;
  members: Map<string, Member>;
}) {
  const most = Math.max(1, ...shares.map((share) => share.members));
  const rows = shares.map(({ trainerId, outcome, members }): Share => ({
    trainerId: outcome === "assign" ? trainerId : null,
    words: REST_WORDS[outcome],
    members,
  }));
  if (rows.length === 0) return null;
  return (
    <table class="shares">
      <caption>Clients by what becomes of them</caption>
      <thead>
        <tr>
          <th scope="col">New trainer</th>
          <th scope="col">Clients</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.trainerId ?? row.words}>
            <th scope="row">
              {row.trainerId === null ? row.words : (
                <a href={paths.trainer(row.trainerId)}>
                  <bdi>{nameOf({ id: row.trainerId, member: members.get(row.trainerId) })}</bdi>
                </a>
              )}
            </th>
            <td>
              <Bar share={row.members / most} tone={row.trainerId === null ? "before" : "after"} />{" "}
              {formatCount(row.members)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const REST_WORDS: Record<TransferPreview["shares"][number]["outcome"], string> = {
  assign: "",
  already_assigned: "the trainer whom they have already, and no other",
  no_room: "stay: no room",
  ended: "stay: had the new trainer until it was ended by hand",
  is_trainer: "stay: are the new trainer",
  excluded: "stay: the policy gives them no other trainer",
};
