// Sample: the model may answer `yes` or `no`, and nothing else.

import { choice, exported, output, segment, stop } from "../../sdk/controller-js/aigen-controller.js";

class YesNo {
  open() {
    output.hold(0);
    this.matcher = choice(["yes", "no"]).matcher();
  }

  step({ why }) {
    return why === "started" ? segment({ under: this.matcher }) : stop();
  }
}

export const controller = exported(YesNo);
