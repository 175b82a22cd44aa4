import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const root = import.meta.dirname;

export default defineConfig({
  plugins: [
    react(),
    {
      // The Go build embeds dist/ and needs it to exist before the first `make web`.
      name: 'keep-dist',
      closeBundle: () => writeFileSync(resolve(root, 'dist/.gitkeep'), ''),
    },
  ],
  build: {
    target: 'es2022',
    // No data: addresses, the content policy allows files of our own only.
    assetsInlineLimit: 0,
    rollupOptions: {
      input: {
        console: resolve(root, 'console.html'),
        dashboard: resolve(root, 'dashboard.html'),
      },
    },
  },
});
