import { findOrInstall } from "@topicast/testing";
import { type Browser, chromium } from "playwright-core";

/** The system's Chromium, headless. Installs it where it may; throws a line that says how where it may not. */
export function launchBrowser(): Promise<Browser> {
  const executablePath = process.env.CHROMIUM || findOrInstall(CHROMIUM);
  // Root has no sandbox to use.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args });
}

const CHROMIUM = {
  names: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"],
  elsewhere: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
  ],
  debianPackage: "chromium",
  how: "no Chromium or Chrome is here: install one (Debian and Ubuntu: apt-get install chromium), or name it in CHROMIUM",
};
