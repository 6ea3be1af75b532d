/* Sample: the model may answer `yes` or `no`, and nothing else. */

#include "aigen_controller.h"

typedef struct {
  aigen_matcher matcher;
} yes_no;

static bool yes_no_open(void *state, const aigen_request *request, aigen_error *error) {
  yes_no *self = state;
  (void)request;
  aigen_hold(0);
  const char *options[] = {"yes", "no"};
  return aigen_choice(options, 2, &self->matcher, error);
}

static bool yes_no_step(void *state, const aigen_step *step, aigen_decision *decision, aigen_error *error) {
  yes_no *self = state;
  (void)error;
  if (step->why.tag == AIGEN_STARTED) {
    aigen_under(aigen_segment(decision), self->matcher);
  } else {
    aigen_stop(decision);
  }
  return true;
}

static void yes_no_close(void *state) {
  yes_no *self = state;
  aigen_matcher_drop(self->matcher);
}

const aigen_controller controller = {
    .size = sizeof(yes_no),
    .open = yes_no_open,
    .step = yes_no_step,
    .close = yes_no_close,
};
