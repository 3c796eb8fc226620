import type { Throughput } from "../../runs/throughput.ts";
import { formatCount, formatDuration } from "../frame/wording.ts";

const WIDTH = 600;
const HEIGHT = 64;
const GAP = 1;

/** Draws how many members per second a run processed, from its first batch to its last. */
export function ThroughputChart({ throughput }: { throughput: Throughput | null }) {
  if (throughput === null) return null;
  const { processed, secondsEach } = throughput;
  const rates = processed.map((members) => members / secondsEach);
  const highest = Math.max(1, ...rates);
  const step = WIDTH / Math.max(30, rates.length);
  const span = formatDuration(rates.length * secondsEach);
  const description = `Throughput over ${span}: at most ${formatCount(highest)} members a second`;
  return (
    <figure class="throughput">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={description}>
        {rates.map((rate, index) => {
          const height = rate === 0 ? 0 : Math.max(1, rate / highest * HEIGHT);
          return (
            <rect
              x={(index * step).toFixed(2)}
              y={(HEIGHT - height).toFixed(2)}
              width={Math.max(0.5, step - GAP).toFixed(2)}
              height={height.toFixed(2)}
            />
          );
        })}
      </svg>
      <figcaption>
        <span>Members a second over {span}</span>
        <span>peak {formatCount(highest)}</span>
      </figcaption>
    </figure>
  );
}
