// Puts the parts on the page and starts.

import { mountChannel } from "./channel.js";
import { mountComposer } from "./composer.js";
import { mountDrawer } from "./drawer.js";
import { mountHome } from "./home.js";
import { mountPanes } from "./panes.js";
import { start } from "./session.js";
import { mountSidebar } from "./sidebar.js";
import { mountSwitcher } from "./switcher.js";
import { mountThread } from "./thread.js";
import { mountTraffic } from "./traffic.js";
import { mountModals } from "./views.js";

mountPanes();
mountSidebar();
mountChannel();
mountThread();
mountComposer();
mountTraffic();
mountDrawer();
mountHome();
mountSwitcher();
mountModals();
start();
