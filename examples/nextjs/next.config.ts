import type { NextConfig } from "next";

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  // There is a lock file in this folder and one at the top of the repository; the app ends at this folder. Vercel
  // knows that by itself, and wants to count paths from the repository.
  ...(process.env.VERCEL ? {} : { turbopack: { root: import.meta.dirname } }),
};

export default config;
