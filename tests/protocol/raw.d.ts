/** Vite's way to a file's text, in Node and in browsers. */
declare module '*?raw' {
  const text: string;
  export { text as default };
}
