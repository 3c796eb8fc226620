/** Draws a share of the longest bar, from 0 to 1. The figure stands beside it. */
export function Bar({ share, tone }: { share: number; tone: "before" | "after" }) {
  return (
    <svg class={`bar ${tone}`} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
      <rect width={String(Math.round(share * 1000) / 10)} height="8" />
    </svg>
  );
}
