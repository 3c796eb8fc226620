import type { PolicyDocument } from "../../policy/document.ts";

/** The hidden fields with which a draft travels from page to page. The service keeps no drafts. */
export function DraftFields({ draft, base, comment }: {
  draft: PolicyDocument;
  /** The version that the draft was made from. */
  base: number;
  comment?: string | undefined;
}) {
  return (
    <>
      <input type="hidden" name="draft" value={JSON.stringify(draft)} />
      <input type="hidden" name="base" value={String(base)} />
      {comment !== undefined && <input type="hidden" name="comment" value={comment} />}
    </>
  );
}
