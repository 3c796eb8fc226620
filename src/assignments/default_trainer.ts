/** The default trainer of a new installation, until an admin sets another one. */
export const DEFAULT_TRAINER_ID = "d18a21c8-be77-496f-a2fd-ec6479ecba6d";
