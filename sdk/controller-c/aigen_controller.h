/* Controllers for AiGen in C.

   A controller decides what comes next: it is asked at the start, at the end of every segment, and in every branch of
   a fork. It runs beside the model, in a sandbox without clock, files and network, and without a C library but for
   what `libc` has.

   `aigen.h` is the contract itself, made of `wit/` by every `aigen controller build`: whatever has no shorter name
   here is called by its name there, like `aigen_controller_meter_used`. */
#ifndef AIGEN_CONTROLLER_H
#define AIGEN_CONTROLLER_H

#include "aigen.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef aigen_controller_types_token_t aigen_token;
typedef aigen_controller_types_error_t aigen_error;
/* Text that is owned by whoever has it; `aigen_text` makes one. It does not end with a 0. */
typedef aigen_string_t aigen_text_t;
typedef exports_aigen_controller_controller_request_t aigen_request;
typedef exports_aigen_controller_controller_step_t aigen_step;
typedef exports_aigen_controller_controller_decision_t aigen_decision;
typedef exports_aigen_controller_controller_generate_t aigen_segment_t;
typedef exports_aigen_controller_controller_list_token_t aigen_tokens;
typedef aigen_controller_constraints_own_matcher_t aigen_matcher;
typedef aigen_controller_constraints_own_token_set_t aigen_token_set;

/* Why a step is asked: `step->why.tag`. After a fork `step->why.val.forked` says which of the branches this is. */
enum {
  AIGEN_STARTED = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_STARTED,
  AIGEN_FORKED = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_FORKED,
  AIGEN_EDITED = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_EDITED,
  AIGEN_MATCHER_FINISHED = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_MATCHER_FINISHED,
  AIGEN_STOP_MATCHED = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_STOP_MATCHED,
  AIGEN_TRIGGERED = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_TRIGGERED,
  AIGEN_END_OF_SEQUENCE = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_END_OF_SEQUENCE,
  AIGEN_TOKEN_LIMIT = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_TOKEN_LIMIT,
  AIGEN_RESUMED = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAKE_RESUMED,
};

/* A controller. Its state is `size` bytes for each branch, all 0 before `open`. A function that gives `false` ends the
   request with what it put into `error`; `aigen_invalid` puts a reason there. Only `open` and `step` have to be. */
typedef struct {
  size_t size;
  /* The state at the start of a request. */
  bool (*open)(void *state, const aigen_request *request, aigen_error *error);
  /* Another prompt instead of the request's; left as it is, none. */
  bool (*prompt)(void *state, aigen_tokens *prompt, aigen_error *error);
  /* What next? Exactly one of the decisions below. */
  bool (*step)(void *state, const aigen_step *step, aigen_decision *decision, aigen_error *error);
  /* Makes `copy`, which has the bytes of `state`, its own for branch `index` of a fork, 1 being the first: a matcher
     has to be forked. Without it a fork is refused. */
  bool (*fork)(const void *state, void *copy, uint32_t index, aigen_error *error);
  /* JSON for the caller; left as it is, nothing. */
  void (*finish)(void *state, aigen_text_t *json);
  /* Gives back what the state has. */
  void (*close)(void *state);
} aigen_controller;

/* The one that a project has: `const aigen_controller controller = { … };`. */
extern const aigen_controller controller;

/* Grammars. Each makes a matcher at the grammar's start. */
bool aigen_json_schema(const char *schema, aigen_matcher *matcher, aigen_error *error);
bool aigen_regex(const char *pattern, aigen_matcher *matcher, aigen_error *error);
bool aigen_lark(const char *source, aigen_matcher *matcher, aigen_error *error);
bool aigen_choice(const char *const *options, size_t count, aigen_matcher *matcher, aigen_error *error);
/* A run of at most `words` words of the text; 12 for 0. */
bool aigen_quote(const char *text, uint32_t words, aigen_matcher *matcher, aigen_error *error);
/* Another at the same place, that goes its own way. */
aigen_matcher aigen_matcher_fork(aigen_matcher matcher);
void aigen_matcher_drop(aigen_matcher matcher);

/* Decisions. A segment lets the model speak alone, until its turn ends or one of what is added says so. */
aigen_segment_t *aigen_segment(aigen_decision *decision);
void aigen_under(aigen_segment_t *segment, aigen_matcher matcher);
void aigen_within(aigen_segment_t *segment, aigen_token_set tokens);
void aigen_until_tokens(aigen_segment_t *segment, uint32_t tokens);
void aigen_until_text(aigen_segment_t *segment, const char *text);
void aigen_until_token(aigen_segment_t *segment, aigen_token token);
void aigen_temperature(aigen_segment_t *segment, float temperature);
void aigen_bias(aigen_segment_t *segment, aigen_token token, float bias);
/* The next step is told how likely the last token was. */
void aigen_observed(aigen_segment_t *segment);
/* Takes tokens back, then puts this text in. */
void aigen_edit(aigen_decision *decision, uint32_t back, const char *text);
/* So many branches more, from exactly here. */
void aigen_fork(aigen_decision *decision, uint32_t branches);
/* Waits until this variable has a version that the branch has not seen. */
void aigen_wait_for_variable(aigen_decision *decision, const char *name);
/* This branch is the answer; this one is over and is not. */
void aigen_stop(aigen_decision *decision);
void aigen_stop_unkept(aigen_decision *decision);

/* What the branches of a request share. What `get` gives is the caller's to free; `false` where there is none. */
bool aigen_set(const char *name, const void *value, size_t size, aigen_error *error);
bool aigen_get(const char *name, aigen_list_u8_t *value);

/* What the caller sees: see `output` in the contract. */
void aigen_hold(uint32_t tokens);
void aigen_commit(void);
void aigen_log(const char *message);

/* Texts. */
aigen_text_t aigen_text(const char *text);
void aigen_add(aigen_text_t *text, const char *more);
void aigen_add_number(aigen_text_t *text, int64_t number);
bool aigen_is(aigen_text_t text, const char *other);
/* Puts a reason into an error; gives `false`. */
bool aigen_invalid(aigen_error *error, const char *reason);
/* The canonical tokens of a text. */
aigen_tokens aigen_encode(const char *text);

#endif
