// The document stands beside the folder this script came from, under whatever prefix.
const here = document.currentScript.src;
SwaggerUIBundle({
  url: new URL("../openapi.json", here).href,
  dom_id: "#docs",
  deepLinking: true,
  // Nobody else is asked whether the document is valid.
  validatorUrl: null,
  // A credential is forgotten with the page.
  persistAuthorization: false,
  tryItOutEnabled: true,
});
