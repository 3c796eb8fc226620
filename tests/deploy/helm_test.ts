/** The chart in deploy/helm, rendered by Helm itself and held against deploy/kubernetes. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { VERSION } from "../../src/version.ts";
import {
  HAS_HELM,
  HELM_LINES,
  installHelm,
  type KubernetesDocument,
  parseDocuments,
  renderChart,
  runHelm,
} from "./helm.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string) => Deno.readTextFile(ROOT + path);
const LABELS = ["labels", "selector", "matchLabels", "labelSelector", "podSelector"];
const labelsSchema = z.record(z.string(), z.string());

/** Without what Helm adds: labels, selectors of them, its hooks, and a sum of the settings. */
function withoutHelm(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutHelm);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !LABELS.includes(key) && !/^(helm\.sh|checksum)\//.test(key))
    .map(([key, part]) => [key, withoutHelm(part)] as const)
    .filter(([, part]) => typeof part !== "object" || part === null || Object.keys(part).length > 0);
  return Object.fromEntries(entries);
}

const byKind = (documents: KubernetesDocument[]) =>
  Object.fromEntries(documents.map((document) => [document.kind, document]));

/** All values of a key, however deep. */
function findAll(value: unknown, key: string): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, part]) => name === key ? [part] : findAll(part, key));
}

for (const line of HELM_LINES) {
  describe(`the chart under Helm ${line}`, { skip: !HAS_HELM }, () => {
    let helm: string;
    let rendered: Record<string, KubernetesDocument>;
    beforeAll(async () => {
      helm = (await installHelm())[line];
      rendered = byKind(await renderChart(helm));
    });
    const renderWith = async (values: Record<string, unknown>) => byKind(await renderChart(helm, { values }));

    it("passes the lint of a version that docs/support.md names", async () => {
      await runHelm(helm, ["lint", "--strict"]);
      const { stdout } = await new Deno.Command(helm, { args: ["version", "--short"] }).output();
      const [, version = "?"] = /^v([\d.]+)/.exec(new TextDecoder().decode(stdout)) ?? [];
      assert(version.startsWith(`${line}.`), version);
      assertStringIncludes(await read("docs/support.md"), ` ${version}`);
    });

    it("makes what deploy/kubernetes has: variables, probes, rights, resources, all of it", async () => {
      const files = ["migrate.yaml", "trainer-assignment.yaml"].map((file) =>
        read(`deploy/kubernetes/${file}`)
      );
      const manifests = byKind((await Promise.all(files)).flatMap(parseDocuments));
      assertEquals(withoutHelm(rendered), withoutHelm(manifests));

      const withAuthority = (await Promise.all(files)).map((text) =>
        text.replaceAll(
          /^( +)# (- \{ name: DATABASE_CA_FILE|volume|(?: {2})+(?:- .*database-ca|secret:))/gm,
          "$1$2",
        )
      );
      assertEquals(
        withoutHelm(await renderWith({ databaseCa: { key: "ca.crt" } })),
        withoutHelm(byKind(withAuthority.flatMap(parseDocuments))),
      );
    });

    it("selects the pods of the service and no other", async () => {
      const documents = await renderWith({ networkPolicy: { enabled: true } });
      const { Deployment, Job } = documents;
      const labelsOf = (document: unknown) =>
        labelsSchema.parse(findAll(findAll(document, "template"), "labels")[0]);
      const selectors = [
        ...findAll(documents, "matchLabels"),
        ...findAll(documents["Service"], "selector"),
      ].map((selector) => labelsSchema.parse(selector));
      assertEquals(selectors.length, 5);
      const isMet = (selector: Record<string, string>, labels: Record<string, string>) =>
        Object.entries(selector).every(([name, value]) => labels[name] === value);
      for (const selector of selectors) {
        assert(isMet(selector, labelsOf(Deployment)));
        assert(!isMet(selector, labelsOf(Job)));
      }
    });

    it("migrates before each installation and upgrade, unless it is told not to", async () => {
      assertEquals(findAll(rendered["Job"]?.metadata, "annotations"), [{
        "helm.sh/hook": "pre-install,pre-upgrade",
        "helm.sh/hook-delete-policy": "before-hook-creation",
      }]);
      assertEquals((await renderWith({ migration: { enabled: false } }))["Job"], undefined);
      const [command] = findAll(
        (await renderWith({ migration: { grantTo: "trainer_service" } }))["Job"],
        "command",
      );
      assertEquals(z.array(z.string()).parse(command).slice(-3), ["migrate", "--grant", "trainer_service"]);
    });

    it("takes databases, secrets, image and settings as they are given", async () => {
      const { Deployment, Job, ConfigMap } = await renderWith({
        image: { repository: "example/trainers", tag: "1.2.3", pullSecrets: ["registry"] },
        secret: "tokens",
        database: { secret: "cluster-app", urlKey: "uri" },
        migration: { database: { secret: "cluster-owner", urlKey: "uri" } },
        settings: { AUTH_ISSUER: 'https://id.example/"a": b', LOG_LEVEL: null },
        replicas: 3,
      });
      const keysOf = (document: unknown) =>
        findAll(document, "secretKeyRef").map((key) =>
          z.object({ name: z.string(), key: z.string() }).parse(key)
        );
      assertEquals(keysOf(Job)[0], { name: "cluster-owner", key: "uri" });
      assertEquals(keysOf(Deployment)[0], { name: "cluster-app", key: "uri" });
      assertEquals(new Set(keysOf(Deployment).slice(2).map(({ name }) => name)), new Set(["tokens"]));
      for (const document of [Deployment, Job]) {
        assertEquals(findAll(document, "image"), ["example/trainers:1.2.3"]);
        assertEquals(findAll(document, "imagePullSecrets"), [[{ name: "registry" }]]);
      }
      assertEquals(findAll(Deployment, "replicas"), [3]);
      const settings = labelsSchema.parse(ConfigMap?.["data"]);
      assertEquals(settings["AUTH_ISSUER"], 'https://id.example/"a": b');
      assert(!("LOG_LEVEL" in settings));
    });

    it("verifies the database by the authority that is named, where the program may read it", async () => {
      const { Deployment, Job } = await renderWith({ databaseCa: { secret: "cluster-ca", key: "ca.crt" } });
      const items = [{ key: "ca.crt", path: "ca.pem" }];
      for (const document of [Deployment, Job]) {
        const [variable] = findAll(document, "env").flatMap((env) =>
          z.array(z.looseObject({ name: z.string(), value: z.string().optional() })).parse(env)
        ).filter(({ name }) => name === "DATABASE_CA_FILE");
        assertEquals(variable?.value, "/app/certs/ca.pem");
        assertEquals(findAll(document, "volumeMounts"), [[{
          name: "database-ca",
          mountPath: "/app/certs",
          readOnly: true,
        }]]);
        assertEquals(findAll(document, "volumes"), [[{
          name: "database-ca",
          secret: { secretName: "cluster-ca", items },
        }]]);
      }
      const own = (await renderWith({ databaseCa: { key: "ca.crt" } }))["Job"];
      assertEquals(findAll(own, "secretName"), ["trainer-assignment"]);
    });

    it("adds variables and volumes of others to service and migration, beside its own", async () => {
      const variable = { name: "NODE_EXTRA_CA_CERTS", value: "/etc/authorities/ca.crt" };
      const volume = { name: "authorities", configMap: { name: "authorities" } };
      const mount = { name: "authorities", mountPath: "/etc/authorities", readOnly: true };
      const extra = { extraEnv: [variable], extraVolumes: [volume], extraVolumeMounts: [mount] };
      const alone = await renderWith(extra);
      const beside = await renderWith({ ...extra, databaseCa: { key: "ca.crt" } });
      const listsOf = (document: unknown, key: string) =>
        findAll(document, key).map((list) => z.array(z.looseObject({ name: z.string() })).parse(list));
      for (const kind of ["Deployment", "Job"]) {
        assertEquals(listsOf(alone[kind], "env")[0]?.filter(({ name }) => name === variable.name), [
          variable,
        ]);
        assertEquals(listsOf(alone[kind], "volumes"), [[volume]]);
        assertEquals(listsOf(alone[kind], "volumeMounts"), [[mount]]);
        assertEquals(listsOf(beside[kind], "volumes")[0]?.slice(1), [volume]);
        assertEquals(listsOf(beside[kind], "volumeMounts")[0]?.slice(1), [mount]);
      }
    });

    it("starts new pods after a change of the settings alone", async () => {
      const sumWith = async (level: string) =>
        findAll((await renderWith({ settings: { LOG_LEVEL: level } }))["Deployment"], "checksum/settings");
      assertEquals(await sumWith("debug"), await sumWith("debug"));
      assert(await sumWith("debug") !== await sumWith("warn"));
    });

    it("lets others in at the service's port alone, and only those named", async () => {
      const from = [{ namespaceSelector: {} }];
      const open = (await renderWith({ networkPolicy: { enabled: true } }))["NetworkPolicy"];
      const closed = (await renderWith({ networkPolicy: { enabled: true, from } }))["NetworkPolicy"];
      const ports = [{ protocol: "TCP", port: "http" }];
      assertEquals(findAll(open, "ingress"), [[{ ports }]]);
      assertEquals(findAll(closed, "ingress"), [[{ ports, from }]]);
      assertEquals(findAll(closed, "policyTypes"), [["Ingress"]]);
      const egress = [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }];
      const held = (await renderWith({ networkPolicy: { enabled: true, egress } }))["NetworkPolicy"];
      assertEquals(findAll(held, "egress"), [egress]);
      assertEquals(findAll(held, "policyTypes"), [["Ingress", "Egress"]]);
    });

    it("refuses what it does not know, a secret among the settings, and less time than draining takes", async () => {
      const refusals: [values: Record<string, unknown>, why: string][] = [
        [{ replica: 3 }, "replica"],
        [{ settings: { LOGLEVEL: "debug" } }, "LOGLEVEL"],
        [{ settings: { ADMIN_TOKENS: "me=1" } }, "ADMIN_TOKENS"],
        [{ settings: { DATABASE_POOL_SIZE: 20 } }, "DATABASE_POOL_SIZE"],
        [{ podDisruptionBudget: { minAvailable: "most" } }, "minAvailable"],
        [{ databaseCa: { secret: "cluster-ca" } }, "databaseCa.key"],
        [{ extraEnv: { NODE_EXTRA_CA_CERTS: "/ca.crt" } }, "extraEnv"],
        [{ terminationGracePeriodSeconds: 15 }, "terminationGracePeriodSeconds"],
        [{ settings: { SHUTDOWN_DELAY_MS: "20000" } }, "SHUTDOWN_DELAY_MS"],
      ];
      for (const [values, why] of refusals) {
        await assertRejects(() => renderChart(helm, { values }), Error, why);
      }
    });

    it("names everything after the release", async () => {
      const documents = await renderChart(helm, { name: "people" });
      const names = new Set(documents.map(({ metadata }) => metadata.name));
      assertEquals(names, new Set(["people-trainer-assignment", "people-trainer-assignment-migrate"]));
    });

    if (line !== "3") { // which shows that only with a cluster
      it("says what to do next", async () => {
        const notes = await runHelm(helm, ["install", "--dry-run=client"], { name: "people" });
        assert(notes.includes("port-forward service/people-trainer-assignment 8000:80"), notes);
      });
    }
  });
}

describe("the version", () => {
  it("is the same in the service, its chart and the images", async () => {
    const chart = z.object({ appVersion: z.string(), version: z.string() })
      .parse(parseYaml(await read("deploy/helm/trainer-assignment/Chart.yaml")));
    assertEquals(chart, { appVersion: VERSION, version: VERSION });
    for (const file of ["migrate.yaml", "trainer-assignment.yaml"]) {
      const [, tag] = /image: trainer-assignment:(\S+)/.exec(await read(`deploy/kubernetes/${file}`)) ?? [];
      assertEquals(tag, VERSION, file);
    }
  });
});
