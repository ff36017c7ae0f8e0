// The behaviours that every page has, each in a module of its own.
import "./drawer.js";
import "./menus.js";
import "./dialogs.js";
import "./toasts.js";
import "./theme.js";
import "./shortcuts.js";
import "./forms.js";
import "./history.js";
import "./copies.js";
import "./patches.js";
import "./followers.js";
import "./live.js"; // last: the others are to hear its first word
