import { ForAdmins } from "../frame/for_admins.tsx";
import { paths } from "../frame/paths.ts";

/** Offers to move those for whom the policy would now choose another trainer. A dry run comes first. */
export function Reassign() {
  return (
    <section class="card" aria-labelledby="reassign-title">
      <h2 id="reassign-title">What becomes of those who have a trainer</h2>
      <p>
        A new version is for new members. Whoever got their trainer by an earlier version keeps them, until a
        run moves those for whom the policy would now choose another one. What a person assigned stays.
      </p>
      <ForAdmins>
        <form class="actions" method="post" action={paths.runs}>
          <input type="hidden" name="reassign" value="true" />
          <input type="hidden" name="dryRun" value="true" />
          <button type="submit">Dry run: who would be moved?</button>
        </form>
      </ForAdmins>
    </section>
  );
}
