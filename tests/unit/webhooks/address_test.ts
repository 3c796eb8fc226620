/** Where webhooks may go. */
import { assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findUrlProblem, isPublicAddress } from "../../../src/webhooks/address.ts";

/** First and last addresses of each range that is refused, and what its range is. */
const REFUSED: Record<string, string[]> = {
  "this network, 0.0.0.0/8": ["0.0.0.0", "0.0.0.1", "0.255.255.255"],
  "private, 10.0.0.0/8": ["10.0.0.0", "10.255.255.255"],
  "shared (CGNAT), 100.64.0.0/10": ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
  "loopback, 127.0.0.0/8": ["127.0.0.1", "127.255.255.255"],
  "link-local with the metadata, 169.254.0.0/16": ["169.254.0.0", "169.254.169.254", "169.254.255.255"],
  "private, 172.16.0.0/12": ["172.16.0.0", "172.31.255.255"],
  "protocol assignments, 192.0.0.0/24": ["192.0.0.0", "192.0.0.192"],
  "documentation, 192.0.2.0/24": ["192.0.2.1", "192.0.2.255"],
  "6to4 relays, 192.88.99.0/24": ["192.88.99.1"],
  "private, 192.168.0.0/16": ["192.168.0.0", "192.168.255.255"],
  "benchmarks, 198.18.0.0/15": ["198.18.0.0", "198.19.255.255"],
  "documentation, 198.51.100.0/24": ["198.51.100.7"],
  "documentation, 203.0.113.0/24": ["203.0.113.7"],
  "multicast, 224.0.0.0/4": ["224.0.0.1", "239.255.255.255"],
  "reserved, 240.0.0.0/4": ["240.0.0.0", "255.255.255.254"],
  "broadcast": ["255.255.255.255"],
  "Azure's wire server": ["168.63.129.16"],
  "unspecified and loopback": ["::", "::1", "0:0:0:0:0:0:0:1"],
  "IPv4-mapped, private or not": ["::ffff:127.0.0.1", "::ffff:7f00:1", "::FFFF:10.0.0.1", "::ffff:8.8.8.8"],
  "IPv4-compatible": ["::127.0.0.1", "::7f00:1", "::10.0.0.1"],
  "IPv4-translated": ["::ffff:0:127.0.0.1"],
  "NAT64, 64:ff9b::/96 and 64:ff9b:1::/48": ["64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::1"],
  "6to4, 2002::/16": ["2002:7f00:1::", "2002:a00:1::1", "2002:c0a8:101::1"],
  "Teredo, 2001::/32": ["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  "unique-local with metadata, fc00::/7": ["fc00::1", "fd00:ec2::254", "fdff:ffff::1"],
  "link-local, fe80::/10": ["fe80::1", "febf::1"],
  "site-local, fec0::/10": ["fec0::1"],
  "multicast, ff00::/8": ["ff02::1", "ff0e::1"],
  "documentation": ["2001:db8::1", "3fff::1"],
  "discard, 100::/64": ["100::1"],
  "protocol assignments, 2001::/23": ["2001:2::1", "2001:20::1", "2001:1ff::1"],
  "segment routing, and what nobody was given": ["5f00::1", "4000::1", "8000::1"],
  "zone ids": ["fe80::1%eth0", "2606:4700::1%eth0", "::1%0"],
  "what is not an address as resolvers write it": [
    "",
    "127.1",
    "2130706433",
    "0x7f.1",
    "010.0.0.1",
    "8.8.8.8 ",
    "name",
  ],
};

/** The next address below or above a refused range, and others of the public internet. */
const PUBLIC = [
  "1.0.0.0",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.0",
  "169.253.255.255",
  "169.255.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "192.169.0.0",
  "198.17.255.255",
  "198.20.0.0",
  "223.255.255.255",
  "2000::1",
  "2606:4700:4700::1111",
  "2a00:1450:4001:80b::200e",
];

/** Each spelling, and the address that the refusal must name. */
const SPELLINGS: [url: string, address: string][] = [
  ["https://127.0.0.1/", "127.0.0.1"],
  ["https://127.1/", "127.0.0.1"],
  ["https://127.0.1:8443/", "127.0.0.1"],
  ["https://2130706433/", "127.0.0.1"],
  ["https://0x7f000001/", "127.0.0.1"],
  ["https://0X7F.0.0.0x1/", "127.0.0.1"],
  ["https://017700000001/", "127.0.0.1"],
  ["https://0177.0.0.01/", "127.0.0.1"],
  ["https://127.0.0.1./", "127.0.0.1"],
  ["https://%31%32%37.0.0.1/", "127.0.0.1"],
  ["https://127%2E0%2E0%2E1/", "127.0.0.1"],
  ["https://１２７.０.０.１/", "127.0.0.1"],
  ["https://①②⑦.0.0.1/", "127.0.0.1"],
  ["https://127。0。0。1/", "127.0.0.1"],
  ["https://0/", "0.0.0.0"],
  ["https://0.0.0.0/", "0.0.0.0"],
  ["https:\\\\10.0.0.1\\", "10.0.0.1"],
  ["https:10.0.0.1", "10.0.0.1"],
  ["https:///10.0.0.1/", "10.0.0.1"],
  [" https://10.0.0.1/ ", "10.0.0.1"],
  ["ht\ttps://10.0\n.0.1/", "10.0.0.1"],
  ["https://3232235777/", "192.168.1.1"],
  ["https://169.254.169.254/latest/meta-data/", "169.254.169.254"],
  ["https://0xa9fea9fe/", "169.254.169.254"],
  ["https://[::1]/", "::1"],
  ["https://[0:0:0:0:0:0:0:1]:8443/", "::1"],
  ["https://[::ffff:127.0.0.1]/", "::ffff:7f00:1"],
  ["https://[::FFFF:A9FE:A9FE]/", "::ffff:a9fe:a9fe"],
  ["https://[::127.0.0.1]/", "::7f00:1"],
  ["https://[64:ff9b::10.0.0.1]/", "64:ff9b::a00:1"],
  ["https://[2002:7f00:1::]/", "2002:7f00:1::"],
  ["https://[FE80::1]/", "fe80::1"],
  ["https://localhost/", "localhost"],
  ["https://LOCALHOST/", "localhost"],
  ["https://localhost./", "localhost."],
  ["https://lo%63alhost:9000/", "localhost"],
  ["https://ｌｏｃａｌｈｏｓｔ/", "localhost"],
  ["https://ⓛocalhost/", "localhost"],
  ["https://app.localhost/", "app.localhost"],
  ["https://a.b.Localhost./", "a.b.localhost."],
];

describe("addresses of webhooks", () => {
  for (const [range, addresses] of Object.entries(REFUSED)) {
    it(`are refused: ${range}`, () => {
      assertEquals(addresses.filter(isPublicAddress), []);
    });
  }

  it("are accepted of the public internet, also right beside a refused range", () => {
    assertEquals(PUBLIC.filter((address) => !isPublicAddress(address)), []);
  });
});

describe("URLs of webhooks", () => {
  for (const [url, address] of SPELLINGS) {
    it(`are refused as ${JSON.stringify(url)}, unless private ones are allowed`, () => {
      assertStringIncludes(findUrlProblem(url, false) ?? "", `leads to ${address}, which is not`);
      assertEquals(findUrlProblem(url, true), null);
    });
  }

  const MALFORMED = [
    "",
    "hooks.example",
    "//hooks.example/",
    "https://",
    "https://hooks.example:99999/",
    "https://256.0.0.1/",
    "https://1.2.3.4.5/",
    "https://0x100000000/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://hooks%00.example/",
    "https://hooks example/",
    "ftp://hooks.example/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "https://hooks.example./",
    "https://user@hooks.example/",
    "https://user:secret@hooks.example/",
    "https://:secret@hooks.example/",
    "https://hooks.example@127.0.0.1/",
  ];
  for (const url of MALFORMED) {
    it(`are refused as ${JSON.stringify(url)} in any case`, () => {
      for (const allowPrivate of [false, true]) {
        const problem = findUrlProblem(url, allowPrivate) ?? "";
        assertMatch(problem, /^must /);
        assertFalse(problem.includes("secret"));
      }
    });
  }

  it("are https, and http where private ones are allowed", () => {
    for (const url of ["http://hooks.example/", "http://127.0.0.1:8000/"]) {
      assertStringIncludes(findUrlProblem(url, false) ?? "", "https://");
      assertEquals(findUrlProblem(url, true), null);
    }
  });

  it("are accepted with a public name or address, and any port, path and query", () => {
    const urls = [
      "https://hooks.example/",
      "https://hooks.example:8443/a/b?token=c#d",
      "https://8.8.8.8/",
      "https://[2606:4700:4700::1111]:444/",
      "https://bücher.example/",
      "https://localhost.example/",
      "https://notlocalhost/",
      "https://127.0.0.1.hooks.example/",
    ];
    for (const url of urls) assertEquals(findUrlProblem(url, false), null);
  });
});
