const HOME = "/admin/trainer-assignment";

/** The addresses of the pages. */
export const paths = {
  home: HOME,
  signIn: "/admin/login",
  signOut: "/admin/logout",
  openId: "/admin/openid",
  openIdCallback: "/admin/openid/callback",
  health: `${HOME}/health`,
  runs: `${HOME}/runs`,
  run: (id: string) => `${HOME}/runs/${id}`,
  runErrors: (id: string) => `${HOME}/runs/${id}/errors.csv`,
  changeRunStatus: (id: string, verb: string) => `${HOME}/runs/${id}/${verb}`,
  members: `${HOME}/members`,
  member: (id: string) => `${HOME}/members?q=${encodeURIComponent(id)}`,
  assign: (id: string) => `${HOME}/members/${id}/assign`,
  endAssignment: (id: string) => `${HOME}/members/${id}/end`,
  people: `${HOME}/people`,
  trainers: `${HOME}/trainers`,
  findTrainers: (text: string) => `${HOME}/trainers?q=${encodeURIComponent(text)}`,
  trainer: (id: string) => `${HOME}/trainers/${id}`,
  trainerSettings: (id: string) => `${HOME}/trainers/${id}/settings`,
  trainerClients: (id: string) => `${HOME}/trainers/${id}/clients.csv`,
  moveClients: (id: string) => `${HOME}/trainers/${id}/move`,
  transferPlan: (id: string) => `${HOME}/trainers/${id}/transfers`,
  webhooks: `${HOME}/webhooks`,
  webhook: (id: string) => `${HOME}/webhooks/${id}`,
  changeWebhook: (id: string, verb: string) => `${HOME}/webhooks/${id}/${verb}`,
  webhookDeliveries: (id: string, status?: string) =>
    `${HOME}/webhooks/${id}${status === undefined ? "" : `?status=${status}`}`,
  webhookDelivery: (id: string, messageId: string) => `${HOME}/webhooks/${id}/messages/${messageId}`,
  redeliver: (id: string, messageId: string) => `${HOME}/webhooks/${id}/messages/${messageId}/redeliver`,
  history: `${HOME}/history`,
  historyCsv: `${HOME}/history.csv`,
  failures: `${HOME}/failures`,
  retryFailures: `${HOME}/failures/retry`,
  policy: `${HOME}/policy`,
  policyVersion: (version: number) => `${HOME}/policy/versions/${version}`,
  policyDraft: `${HOME}/policy/draft`,
  policyRule: `${HOME}/policy/draft/rule`,
  defaultTrainer: `${HOME}/default-trainer`,
} as const;

/** Returns where to go after a sign-in: always one of our pages. */
export function safeNext(next: string | undefined): string {
  const url = URL.parse(next ?? "", "http://ours.invalid");
  const isOurs = url?.origin === "http://ours.invalid" && url.pathname.startsWith(`${HOME}`);
  return isOurs ? url.pathname + url.search : HOME;
}
