import { hash } from "node:crypto";
import { projectItself } from "../../support/project.ts";
import { type Experiment, type ExperimentOptions, sized } from "../experiment.ts";
import { type Canary, findCanaries, formsOf, type Sight, sightOf } from "../hostile/canaries.ts";
import { startCollector } from "../../support/collector.ts";
import { documentedOperations, pageOperations } from "../hostile/operations.ts";
import { liftPoison, poisonMigrations } from "../hostile/poison.ts";
import { signIn } from "../hostile/sign_in.ts";
import { type Service, TOKEN } from "../service.ts";
import { inWorld, type World } from "../world.ts";

const ROLE = "canary_role";
const PASSWORD = "canary p/w%:@?#&+\"'\\ü";
const CLIENT_SECRET = "canary client secret 7d/1%+é";
const SERVICE_TOKEN = "ta_canary_service_token_9b2e71";
const WRONG_TOKEN = "ta_canary_token_that_nobody_configured";
const OTHER_COOKIE = "canary-cookie-of-another-application";
const BASIC_PASSWORD = "canary of a basic authorization";

/** Secrets that can be recognised, every kind of failure, and a search through all that anybody sees of it. */
export const canaries: Experiment = {
  name: "canaries",
  summary:
    "secrets planted, every kind of failure driven: none is in a log, an answer, a metric, a span or an error",
  async run(options) {
    const { report } = options;
    await inWorld(options, {}, async (world) => {
      await world.sql.unsafe(
        `create role ${ROLE} superuser login password '${PASSWORD.replaceAll("'", "''")}'`,
      );
      const databaseUrl = urlWith(world, PASSWORD);
      const known: Canary[] = [
        { name: "the database's password", value: PASSWORD, user: ROLE },
        { name: "the database's URL", value: databaseUrl },
        { name: "the client secret", value: CLIENT_SECRET, user: "trainer-assignment" },
        { name: "an admin's token", value: TOKEN },
        { name: "a service's token", value: SERVICE_TOKEN },
        { name: "a token that is not configured", value: WRONG_TOKEN },
        { name: "another application's cookie", value: OTHER_COOKIE },
        { name: "a basic password", value: BASIC_PASSWORD, user: "somebody" },
      ];
      const sights = await failCommands(world, databaseUrl, options);
      sights.push(...await failService(world, databaseUrl, known, options));
      for (const found of findCanaries(known, sights)) {
        report.violate(`no secret is shown: ${found}`, "see where");
      }
      const forms = known.reduce((sum, canary) => sum + formsOf(canary).size, 0);
      const bytes = sights.reduce((sum, { text }) => sum + text.length, 0);
      report.figure(
        "secrets",
        `${known.length}, each written in up to ${Math.ceil(forms / known.length)} ways`,
      );
      report.figure("searched", `${sights.length} outputs, answers and exports, ${bytes} characters`);
      await world.judge();
    });
  },
};

/** Commands that fail in every way in which the address of a database or a configuration can be wrong. */
async function failCommands(
  world: World,
  databaseUrl: string,
  { scale, report }: ExperimentOptions,
): Promise<Sight[]> {
  const { run } = projectItself();
  const wrongPassword = urlWith(world, `${PASSWORD} wrong`);
  const { host } = new URL(databaseUrl);
  const tokens = { ADMIN_TOKENS: `faults=${hash("sha256", TOKEN)}` };
  const openId = { AUTH_ISSUER: "https://nowhere.invalid", AUTH_CLIENT_ID: "trainer-assignment" };
  const start = (environment: Record<string, string>) => ({ task: "start", args: [], environment });
  const commands = [
    ...["migrate", "backfill", "demo"].map((task) => ({
      task,
      args: [],
      environment: { DATABASE_URL: wrongPassword },
    })),
    start({ ...tokens, DATABASE_URL: wrongPassword }),
    start({ ...tokens, DATABASE_URL: databaseUrl.replace(host, "nowhere.invalid") }),
    start({ ...tokens, DATABASE_URL: databaseUrl.replace(host, "127.0.0.1:1") }),
    start({ ...tokens, DATABASE_URL: databaseUrl.replace(host, "127.0.0.1:1,127.0.0.1:2") }),
    start({ ...tokens, DATABASE_URL: databaseUrl.replace("/postgres", "/no_such_database") }),
    start({ ...tokens, DATABASE_URL: databaseUrl.replace("postgres:", "mysql:") }),
    start({ ...tokens, DATABASE_URL: databaseUrl.replace("@", "%zz@") }),
    start({ ...tokens, DATABASE_URL: `postgres://${ROLE}:${PASSWORD}@${host}/postgres` }), // as people paste it
    start({ ...tokens, DATABASE_URL: `${databaseUrl}?sslmode=verify-full` }),
    start({ ...tokens, DATABASE_URL: `${databaseUrl}?no_such_option=1` }),
    start({ DATABASE_URL: databaseUrl, ADMIN_TOKENS: `faults=${TOKEN}` }), // the token instead of its hash
    start({ DATABASE_URL: databaseUrl, SERVICE_TOKENS: SERVICE_TOKEN }),
    start({ DATABASE_URL: databaseUrl }),
    start({ ...tokens, DATABASE_URL: databaseUrl, AUTH_CLIENT_SECRET: CLIENT_SECRET }),
    start({
      ...tokens,
      ...openId,
      DATABASE_URL: databaseUrl,
      AUTH_CLIENT_SECRET: CLIENT_SECRET,
      PORT: "no port",
    }),
    start({ ...tokens, DATABASE_URL: databaseUrl, HOST: "nowhere.invalid" }),
  ];
  const sights: Sight[] = [];
  const look = async (
    { task, args, environment }: { task: string; args: string[]; environment: Record<string, string> },
  ) => {
    const { code, stdout, stderr } = await run(task, args, environment);
    const where = `the output of ${task}, number ${sights.length + 1}`;
    report.expect(code !== 0, "what is wrong is refused", where);
    report.expect(
      /^error: /m.test(stderr) && !stderr.includes("Uncaught"),
      "an error is told in a line",
      `${where}: ${stderr}`,
    );
    sights.push({ where, text: stdout + stderr });
  };
  const share = sized(scale, { short: 0.3, full: 1, long: 1 });
  for (const command of commands) if (share === 1 || world.random.chance(share)) await look(command);
  await poisonMigrations(world.sql);
  await look({ task: "migrate", args: ["down"], environment: { DATABASE_URL: databaseUrl } });
  await look({
    task: "migrate",
    args: ["down"],
    environment: { DATABASE_URL: `${databaseUrl}?connect_timeout=nonsense` }, // which dbmate alone refuses
  });
  await liftPoison(world.sql);
  report.figure("commands that failed", sights.length);
  return sights;
}

/** A service that is asked for everything, in every state in which it can fail. */
async function failService(
  world: World,
  databaseUrl: string,
  known: Canary[],
  { scale, report }: ExperimentOptions,
): Promise<Sight[]> {
  const collector = startCollector();
  world.atEnd(collector.stop);
  const { startOpenIdProvider } = await import("../../support/openid_provider.ts"); // it greets on import
  const provider = await startOpenIdProvider("http://localhost");
  world.atEnd(provider.stop);
  const service = await world.startService({
    databaseUrl,
    environment: {
      ...collector.environment,
      LOG_LEVEL: "debug",
      SERVICE_TOKENS: `other=${hash("sha256", SERVICE_TOKEN)}`,
      AUTH_ISSUER: provider.url,
      AUTH_CLIENT_ID: "trainer-assignment",
      AUTH_CLIENT_SECRET: CLIENT_SECRET, // not the one that the provider knows
    },
  });
  const cookie = await signIn(service);
  known.push({ name: "a session", value: cookie.split("=").slice(1).join("=") });
  const operations = documentedOperations(await (await service.call("GET /openapi.json")).json());
  const sights: Sight[] = [];
  const askAll = async (state: string) => {
    for (const { method, path, body, credential } of [...operations, ...pageOperations]) {
      if (path.endsWith("/logout")) continue;
      const target = path.replaceAll(/\{\w+\}/g, world.trainerId);
      const callers = credential === "bearer"
        ? bearers()
        : [sessionOf(cookie), sessionOf(`a=${OTHER_COOKIE}`)];
      for (const headers of callers) {
        if (scale === "short" && world.random.chance(0.6)) continue;
        const response = await fetch(service.url + target, {
          method,
          redirect: "manual",
          headers: { ...headers, ...(body?.type === "json" ? { "Content-Type": "application/json" } : {}) },
          ...(body === undefined
            ? {}
            : { body: body.type === "json" ? "{}" : new URLSearchParams({ token: WRONG_TOKEN }) }),
        });
        sights.push(await sightOf(`the answer to ${method} ${path}, ${state}`, response));
      }
    }
    sights.push(...await failToSignIn(service, state));
  };

  await askAll("all well");
  await world.sql`alter table public.trainer_client_assignments rename to hidden`;
  await world.sql`alter table assignment.settings rename to hidden`;
  await askAll("tables gone");
  await world.sql`alter table assignment.hidden rename to settings`;
  await world.sql`alter table public.hidden rename to trainer_client_assignments`;
  await world.sql.unsafe(`
    alter table assignment.policies rename to hidden;
    create view assignment.policies as
      select version, document, comment, created_at, (1 / (extract(year from created_at) * 0))::text as created_by
      from assignment.hidden;
    grant select on assignment.policies to ${ROLE};
  `);
  await askAll("an error that nobody foresees");
  await world.sql`drop view assignment.policies`;
  await world.sql`alter table assignment.hidden rename to policies`;
  await world.sql.unsafe(`alter role ${ROLE} password 'another'`);
  await world.sql`select pg_terminate_backend(pid) from pg_stat_activity where usename = ${ROLE}`;
  await askAll("signed in no longer");
  await world.server.stop();
  await askAll("database away");
  await world.server.start();
  sights.push({ where: "the command line of the service", text: await commandLine(service.pid()) });
  await service.stop("SIGTERM");

  const output = service.output();
  for (
    const expected of ['"level":"error"', "database_lost", "sign_in_refused"]
  ) {
    report.expect(
      output.includes(expected),
      "every kind of failure is driven",
      `nothing of ${expected} is logged`,
    );
  }
  report.expect(collector.sights().length > 10, "every kind of failure is driven", "no spans came");
  report.figure("answers", sights.length);
  report.figure("exports to the collector", collector.sights().length);
  return [...sights, ...collector.sights(), { where: "the log", text: output }];
}

/** Everybody who may call, and some who may not. */
function bearers(): Record<string, string>[] {
  return [
    { Authorization: `Bearer ${TOKEN}` },
    { Authorization: `Bearer ${SERVICE_TOKEN}` },
    { Authorization: `Bearer ${WRONG_TOKEN}`, Cookie: `a=${OTHER_COOKIE}` },
    { Authorization: `Basic ${btoa(`somebody:${BASIC_PASSWORD}`)}` },
  ];
}

function sessionOf(cookie: string): Record<string, string> {
  return { Cookie: cookie, "Sec-Fetch-Site": "same-origin" };
}

/** Leaves for the provider and comes back with a code that it does not know, which it is asked about with our secret. */
async function failToSignIn(service: Service, state: string): Promise<Sight[]> {
  const leaving = await fetch(`${service.url}/admin/openid`, { redirect: "manual" });
  const location = URL.parse(leaving.headers.get("location") ?? "");
  const [pending = ""] = leaving.headers.getSetCookie();
  const query = new URLSearchParams({
    code: "made-up", // in an address, and so in the runtime's span: of use only once, and with the cookie
    state: location?.searchParams.get("state") ?? "",
    iss: location?.origin ?? "",
  });
  const back = await fetch(`${service.url}/admin/openid/callback?${query}`, {
    headers: { Cookie: pending.split(";")[0] ?? "" },
  });
  return [
    await sightOf(`leaving for the provider, ${state}`, leaving),
    await sightOf(`coming back from the provider, ${state}`, back),
  ];
}

async function commandLine(pid: number): Promise<string> {
  return (await Deno.readTextFile(`/proc/${pid}/cmdline`)).replaceAll("\0", " ");
}

function urlWith(world: World, password: string): string {
  const { host } = new URL(world.server.url);
  return `postgres://${ROLE}:${encodeURIComponent(password)}@${host}/postgres`;
}
