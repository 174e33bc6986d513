// The document stands beside the folder this script came from, under whatever prefix.
const here = document.currentScript.src;
const options = {
  theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } },
};
Redoc.init(new URL("../openapi.json", here).href, options, document.getElementById("redoc"));
