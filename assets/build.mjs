// Builds static/dist/ from assets/ and the packages of package-lock.json: `npm ci --ignore-scripts && node assets/build.mjs`.
// Every file a page asks for carries a hash of its content in its name; manifest.json says which.
// The fonts of the PDFs keep their plain names, because consult_app/pdf.py opens them by name.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { Resvg, initWasm } from "@resvg/resvg-wasm";
import { build } from "esbuild";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "static", "dist");
const modules = join(root, "node_modules");
const base = "/static/dist/";

const PAGE_FONTS = {
  "source-sans-3.woff2": "@fontsource-variable/source-sans-3/files/source-sans-3-latin-wght-normal.woff2",
  "source-serif-4.woff2": "@fontsource/source-serif-4/files/source-serif-4-latin-400-normal.woff2",
  "source-serif-4-semibold.woff2": "@fontsource/source-serif-4/files/source-serif-4-latin-600-normal.woff2",
};
const PDF_FONTS = {
  "SourceSans3-Regular.ttf": "source-sans-3/400Regular/SourceSans3_400Regular.ttf",
  "SourceSans3-SemiBold.ttf": "source-sans-3/600SemiBold/SourceSans3_600SemiBold.ttf",
  "SourceSerif4-Regular.ttf": "source-serif-4/400Regular/SourceSerif4_400Regular.ttf",
  "SourceSerif4-SemiBold.ttf": "source-serif-4/600SemiBold/SourceSerif4_600SemiBold.ttf",
  "SourceSerif4-Italic.ttf": "source-serif-4/400Regular_Italic/SourceSerif4_400Regular_Italic.ttf",
  "NotoSansArabic-Regular.ttf": "noto-sans-arabic/400Regular/NotoSansArabic_400Regular.ttf",
  "NotoEmoji-Regular.ttf": "noto-emoji/400Regular/NotoEmoji_400Regular.ttf",
  "NotoSansJavanese-Regular.ttf": "noto-sans-javanese/400Regular/NotoSansJavanese_400Regular.ttf",
};

const written = new Set();
const manifest = {};

function write(name, content) {
  const path = join(dist, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  written.add(path);
  if ([".css", ".js", ".svg", ".json", ".wasm"].includes(extname(name))) {
    const bytes = Buffer.from(content);
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
    for (const [suffix, packed] of [[".gz", gzipSync(bytes, { level: 9 })], [".br", brotliCompressSync(bytes, quality)]]) {
      writeFileSync(path + suffix, packed);
      written.add(path + suffix);
    }
  }
}

function publish(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const extension = extname(name);
  manifest[name] = `${name.slice(0, -extension.length)}-${hash}${extension}`;
  write(manifest[name], content);
}

function files(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

// The icons in use: every quoted string in a Jinja tag or a labels.py that is the name of an icon. A word that only happens
// to be one ('list') costs some bytes; a forgotten icon would cost a hole in a page.
function iconNames() {
  const found = new Set();
  const strings = (text) => [...text.matchAll(/'([a-z][a-z0-9-]+)'|"([a-z][a-z0-9-]+)"/g)].map((match) => match[1] ?? match[2]);
  for (const path of files(join(root, "templates"))) {
    if (!path.endsWith(".html")) continue;
    for (const [tag] of readFileSync(path, "utf8").matchAll(/\{\{.*?\}\}|\{%.*?%\}/gs)) strings(tag).forEach((name) => found.add(name));
  }
  for (const path of files(join(root, "consult_app"))) {
    if (!path.endsWith(".py")) continue;
    const text = readFileSync(path, "utf8");
    const lines = path.endsWith("labels.py") ? [text] : text.split("\n").filter((line) => /icon/i.test(line));
    lines.forEach((line) => strings(line).forEach((name) => found.add(name)));
  }
  return [...found].sort();
}

function sprite() {
  const symbols = [];
  for (const name of iconNames()) {
    const path = join(modules, "@tabler/icons/icons/outline", `${name}.svg`);
    if (!existsSync(path)) continue;
    const shapes = readFileSync(path, "utf8")
      .replace(/<!--.*?-->/gs, "")
      .replace(/^.*?<svg[^>]*>|<\/svg>\s*$/gs, "")
      .replace(/<path stroke="none"[^>]*\/>/g, "")
      .replace(/\s*\n\s*/g, "")
      .replaceAll(" />", "/>");
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">${shapes}</symbol>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>\n`;
}

async function bundle(entry) {
  const result = await build({
    entryPoints: [join(root, "assets", entry)], bundle: true, minify: true, write: false, legalComments: "none",
    format: entry.endsWith(".js") ? "iife" : undefined, target: ["chrome100", "firefox100", "safari15.4"],
    external: ["font:*"], absWorkingDir: root, logLevel: "warning",
  });
  return result.outputFiles[0].text;
}

for (const [name, source] of Object.entries(PDF_FONTS)) write(join("fonts", "pdf", name), readFileSync(join(modules, "@expo-google-fonts", source)));
for (const [name, source] of Object.entries(PAGE_FONTS)) publish(name, readFileSync(join(modules, source)));
publish("icons.svg", sprite());
publish("favicon.svg", readFileSync(join(root, "assets/svg/favicon.svg"), "utf8"));
// Home screens of phones take pictures in PNG only.
await initWasm(readFileSync(join(modules, "@resvg/resvg-wasm/index_bg.wasm")));
for (const width of [192, 512]) {
  const icon = new Resvg(readFileSync(join(root, "assets/svg/favicon.svg"), "utf8"), { fitTo: { mode: "width", value: width }, background: "#faf7f0" });
  publish(`icon-${width}.png`, icon.render().asPng());
}
publish("app.js", await bundle("js/app.js"));
publish("passkeys.js", await bundle("js/passkeys.js"));
publish("app.css", (await bundle("css/app.css")).replace(/url\("?font:([a-z0-9.-]+)"?\)/g, (_, name) => `url(${base}${manifest[name]})`));
publish("desk.js", await bundle("js/desk/desk.js"));
publish("desk.css", await bundle("css/desk.css"));
publish("zxing_reader.wasm", readFileSync(join(modules, "zxing-wasm/dist/reader/zxing_reader.wasm")));
write("manifest.json", `${JSON.stringify(manifest, null, 2)}\n`);

// A server that runs on still hands out the files it began with: old ones stay for a day.
const yesterday = Date.now() - 24 * 3600 * 1000;
for (const path of files(dist)) if (!written.has(path) && statSync(path).mtimeMs < yesterday) rmSync(path);
for (const [name, file] of Object.entries(manifest)) {
  const path = join(dist, file);
  const size = readFileSync(existsSync(`${path}.br`) ? `${path}.br` : path).length;
  console.log(`${(size / 1024).toFixed(1).padStart(7)} KB  ${relative(root, join(dist, file))}  (${name})`);
}
