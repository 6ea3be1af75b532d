// Every page in a real browser: what a newcomer does from signing in to the first paid answer,
// then each page at two sizes, in light and dark: no error on the console, nothing that axe-core
// finds, a screenshot of each.
import { chromium } from "playwright-core";
import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert";

const { URL: base, KEY: key, OPERATOR: operator, SHOTS: shots, CONTROLLER: controller } = process.env;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
mkdirSync(shots, { recursive: true });

const PAGES = [
  ["overview", "/"], ["playground", "/playground"], ["money", "/money"], ["receipts", "/receipts"],
  ["spending", "/spending"], ["models", "/models"], ["controllers", "/controllers"],
  ["controller", `/controllers/${controller}`], ["hostile", "/controllers/eve/evil@1.0.0"],
  ["datasets", "/datasets"], ["dataset", "/datasets/acme/faq@1.0.0"],
  ["validators", "/validators"], ["validator", "/validators/ann"],
  ["epochs", "/epochs"], ["epoch", "/epochs/0"], ["why", "/epochs/0/why/ann"], ["ledger", "/ledger"],
  ["keys", "/keys"], ["settings", "/settings"], ["glossary", "/glossary"],
];
const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
const BYTES_MAX = 100 * 1024;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"],
});

/** A page that fails the test for whatever its console complains about. */
async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("console", (message) => { if (message.type() === "error") complaints.push(`${page.url()}: ${message.text()}`); });
  page.on("dialog", (dialog) => { complaints.push(`${page.url()}: something of a stranger's ran: ${dialog.message()}`); dialog.dismiss(); });
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error}`));
  return page;
}
const complaints = [];

async function signIn(page, key, next = "/") {
  await page.goto(base + next);
  await page.getByLabel("API key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(base + next);
}

async function accessible(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa"] }));
  const told = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target + " " + node.failureSummary).join("; ")}`);
  assert.deepEqual(told, [], name);
}

async function newcomer() {
  const page = await open({ viewport: SIZES.desktop });
  const began = performance.now();
  await page.goto(base + "/");
  await page.screenshot({ path: `${shots}/sign-in-desktop.png`, fullPage: true });
  await accessible(page, "sign-in");
  await page.getByLabel("API key").fill("sk-wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").waitFor();
  // The wrong key's 401 is the page's status, which browsers log.
  complaints.length = 0;
  await signIn(page, key);
  await page.getByText("Newest answers").waitFor();
  await page.getByRole("link", { name: "Playground", exact: true }).click();
  await page.locator("select[name=controller]").selectOption(controller);
  await page.getByLabel("Controller's parameters").fill('{"words": ["yes", "no"]}');
  await page.getByLabel("Message").fill("Say a word.");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("Who was paid").waitFor();
  const answer = await page.locator("#answer").textContent();
  assert.match(answer, /^Word: (yes|no)$/, answer);
  await page.screenshot({ path: `${shots}/answer-desktop.png`, fullPage: true });
  await accessible(page, "answer");
  await page.getByRole("link", { name: "Receipts", exact: true }).click();
  await page.locator("tbody a").first().click();
  await page.getByText("Who was paid").waitFor();
  await page.screenshot({ path: `${shots}/receipt-desktop.png`, fullPage: true });
  console.log(`the newcomer's path, from the first page to the receipt: ${Math.round(performance.now() - began)} ms`);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL(base + "/sign-in");
  await page.context().close();
}

/** Without script the same can be done: the whole answer on a page of its own. */
async function withoutScript() {
  const page = await open({ viewport: SIZES.desktop, javaScriptEnabled: false });
  await signIn(page, key, "/playground");
  await page.getByLabel("Message").fill("Hello!");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("Who was paid").waitFor();
  await page.context().close();
}

async function everyPage(size, colorScheme) {
  const page = await open({ viewport: SIZES[size], colorScheme });
  await signIn(page, operator);
  for (const [name, path] of PAGES) {
    const reply = await page.goto(base + path);
    assert.equal(reply.status(), 200, path);
    const bytes = (await reply.body()).length;
    assert(bytes <= BYTES_MAX, `${path} is ${bytes} bytes`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert(wide <= 0, `${path} is ${wide} px wider than a ${size}`);
    // Nothing of a card is beyond its edge, and every line says what it is.
    const hidden = await page.evaluate(() => [...document.querySelectorAll(".cards")]
      .filter((table) => table.scrollWidth > table.clientWidth || table.querySelector("td:not([data-label])"))
      .map((table) => table.getAttribute("aria-label")));
    assert(size !== "phone" || hidden.length === 0, `${path} hides parts of ${hidden} on a phone`);
    await page.screenshot({ path: `${shots}/${name}-${size}${colorScheme === "dark" ? "-dark" : ""}.png`, fullPage: true });
    await accessible(page, `${path} on a ${size}, ${colorScheme}`);
  }
  await page.context().close();
}

/** From the first thing to the last without a mouse. */
async function byKeyboard() {
  const page = await open({ viewport: SIZES.desktop });
  await signIn(page, operator, "/epochs/0");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the page");
  await page.getByRole("button", { name: "Settle it again" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("The same came out.").waitFor();
  await page.screenshot({ path: `${shots}/verified-desktop.png`, fullPage: true });
  await page.context().close();
}

/** Rows of somebody's dataset stand in the prompt, and the answer says which. */
async function withDataset() {
  const page = await open({ viewport: SIZES.desktop });
  await signIn(page, key, "/playground");
  await page.locator("select[name=dataset]").selectOption("acme/faq@1.0.0");
  await page.getByLabel("Message").fill("A mug?");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByRole("heading", { name: "Rows in the prompt" }).waitFor();
  await page.screenshot({ path: `${shots}/cited-desktop.png`, fullPage: true });
  await accessible(page, "an answer with citations");
  await page.getByRole("link", { name: "acme/faq@1.0.0" }).first().click();
  await page.getByRole("heading", { name: "acme/faq" }).first().waitFor();
  await page.context().close();
}

/** From a payout down to the calls that its money comes from, and to a receipt of one. */
async function drillDown() {
  const page = await open({ viewport: SIZES.desktop });
  await signIn(page, operator, "/epochs/0");
  await page.locator("tr", { hasText: controller }).getByRole("link", { name: "why" }).click();
  await page.getByRole("link", { name: "the calls that its money comes from" }).click();
  await page.getByRole("heading", { name: "Where the money of epoch 0 comes from" }).waitFor();
  assert.equal(await page.locator("tbody tr").count(), 3);
  await page.screenshot({ path: `${shots}/calls-desktop.png`, fullPage: true });
  await accessible(page, "calls of an epoch");
  await page.locator("tbody a").first().click();
  await page.getByText("Who was paid").waitFor();
  await page.context().close();
}

/** The journal, verified beside the running node. */
async function verified() {
  const page = await open({ viewport: SIZES.desktop });
  await signIn(page, operator, "/ledger");
  await page.getByText("was not verified since this node started").waitFor();
  await page.getByRole("button", { name: "Verify the journal now" }).click();
  while (await page.getByText("The journal is sound.").count() === 0) await page.reload();
  await page.screenshot({ path: `${shots}/sound-desktop.png`, fullPage: true });
  await accessible(page, "a verified ledger");
  await page.context().close();
  const customer = await open({ viewport: SIZES.desktop });
  await signIn(customer, key, "/ledger");
  await customer.getByText("The journal is sound.").waitFor();
  assert.equal(await customer.getByRole("button", { name: "Verify" }).count(), 0);
  await customer.context().close();
}

await newcomer();
await withoutScript();
await everyPage("desktop", "light");
await everyPage("phone", "light");
await everyPage("desktop", "dark");
await byKeyboard();
await withDataset();
await drillDown();
await verified();
assert.deepEqual(complaints, []);
await browser.close();
console.log("all passed");
