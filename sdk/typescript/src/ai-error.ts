/** Why an AI function gives no value. */

import { AiGenError, ApiError, SetupError } from "./errors.js";
import type { Reply } from "./records.js";

/** Why there is no value. What a model said is never lost, and neither is what it cost. */
export class AiError extends AiGenError {
  override name = "AiError";
  /** The last that the model said, as far as it had come; empty where it said nothing. */
  raw = "";
  /** One for each time that the model answered. */
  receipts: readonly Reply[] = [];
}

export namespace AiError {
  /** The money, or the call's budget, does not reach. */
  export class Budget extends AiError {
    override name = "AiError.Budget";
    /** What was refused, or where the answer ended. */
    readonly reason: string;
    constructor(reason: string, options?: ErrorOptions) {
      super(`the budget does not reach: ${reason}`, options);
      this.reason = reason;
    }
  }

  /** The server does not do this: another model, another controller or another request may. */
  export class Refused extends AiError {
    override name = "AiError.Refused";
    readonly reason: string;
    constructor(reason: string, options?: ErrorOptions) {
      super(`refused: ${reason}`, options);
      this.reason = reason;
    }
  }

  /** The answer is longer than it may be; `raw` is what there is of it. */
  export class Truncated extends AiError {
    override name = "AiError.Truncated";
    constructor() {
      super("the answer was cut off\nhint: raise maxTokens, or ask for less");
    }
  }

  /** Every answer was refused by the check, or was none of this type; `raw` is the last. */
  export class Check extends AiError {
    override name = "AiError.Check";
    /** What is wrong with it. */
    readonly why: string;
    constructor(why: string, options?: ErrorOptions) {
      super(`no answer was accepted: ${why}`, options);
      this.why = why;
    }
  }

  /** The server was not reached, or failed, every time; `cause` says how. */
  export class Transport extends AiError {
    override name = "AiError.Transport";
  }

  /** An argument is not of its type, or has no JSON. */
  export class Argument extends AiError {
    override name = "AiError.Argument";
    readonly why: string;
    constructor(why: string, options?: ErrorOptions) {
      super(`the arguments are not what the function takes: ${why}`, options);
      this.why = why;
    }
  }

  /** There is nothing to call. */
  export class Setup extends AiError {
    override name = "AiError.Setup";
  }
}

/** What a failed request means for the function that made it. */
export function aiError(error: unknown): AiError {
  if (error instanceof AiError) return error;
  const cause = { cause: error };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof SetupError) return new AiError.Setup(message, cause);
  if (error instanceof ApiError && error.status === 402) return new AiError.Budget(message, cause);
  if (error instanceof ApiError && error.status >= 400 && error.status <= 428) return new AiError.Refused(message, cause);
  return new AiError.Transport(message, cause);
}
