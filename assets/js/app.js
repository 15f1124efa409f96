// Everything here only helps: each page works without it. No inline code, no eval; nothing half-typed is ever touched.
import "htmx.org/dist/htmx.esm.js";
import "./forms.js";
import "./drafts.js";
import "./serverdraft.js";
import "./page.js";
import "./composer.js";
import "./wording.js";
import "./awake.js";
import "./scan.js";
import "./review.js";
import "./room.js";
