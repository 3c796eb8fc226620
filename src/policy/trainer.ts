/** A trainer: how many clients they have, and how many more this service gives them. */
export interface Trainer {
  trainerId: string;
  /** The most active clients that this service gives the trainer, unless an admin forces more; null: no limit. */
  capacity: number | null;
  /** False: only an admin can give the trainer a client, by force. */
  acceptsClients: boolean;
  note: string | null;
  /** Active assignments. */
  clients: number;
  /** Free places, whether or not the trainer accepts clients; null: no limit. */
  room: number | null;
  /** When the settings of the trainer were last changed; null: never. */
  updatedAt: Date | null;
  updatedBy: string | null;
}

/** What a trainer can take. */
export type Room = Pick<Trainer, "trainerId" | "capacity" | "acceptsClients" | "room">;
