/**
 * The library for programs. Each function takes the database handle first. Without a trainer, `assignNewUserToTrainer`,
 * `backfillExistingUsers` and `transferClients` follow the policy; checks and `assignClientToTrainer` mean the default
 * trainer. Member and trainer ids are UUIDs as strings.
 * @module
 */
export { assignClientToTrainer, assignNewUserToTrainer, endAssignment } from "./assignments/assign.ts";
export {
  ANY_TRAINER,
  type Assignment,
  checkAssignments,
  getAssignment,
  isUserAssignedToTrainer,
} from "./assignments/checks.ts";
export type { ClientPage, ClientStatus } from "./assignments/client_page.ts";
export type { Client } from "./assignments/client_columns.ts";
export { getTrainerClients, requireTrainer } from "./assignments/clients.ts";
export { DEFAULT_TRAINER_ID } from "./assignments/default_trainer.ts";
export { backfillExistingUsers, type BackfillOptions } from "./runs/existing_users.ts";
export type { RunResult } from "./runs/follow.ts";
export { startTransfer, type TransferRequest } from "./runs/runs.ts";
export { transferClients, type TransferOptions } from "./runs/transfer_clients.ts";
