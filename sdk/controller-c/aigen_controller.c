/* What stands between the contract and a controller. */

#include "aigen_controller.h"

/* Texts. */

/* Lent for a call, which copies it. */
static aigen_string_t lent(const char *text) {
  return (aigen_string_t){(uint8_t *)text, strlen(text)};
}

static aigen_list_u8_t lent_bytes(const void *bytes, size_t size) {
  return (aigen_list_u8_t){(uint8_t *)bytes, size};
}

aigen_text_t aigen_text(const char *text) {
  aigen_text_t made = {0};
  aigen_add(&made, text);
  return made;
}

void aigen_add(aigen_text_t *text, const char *more) {
  size_t length = strlen(more);
  if (length == 0) return;
  text->ptr = realloc(text->ptr, text->len + length);
  memcpy(text->ptr + text->len, more, length);
  text->len += length;
}

void aigen_add_number(aigen_text_t *text, int64_t number) {
  char digits[21];
  char *at = digits + 20;
  uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
  *at = 0;
  do {
    *--at = (char)('0' + left % 10);
    left /= 10;
  } while (left);
  if (number < 0) *--at = '-';
  aigen_add(text, at);
}

bool aigen_is(aigen_text_t text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

bool aigen_invalid(aigen_error *error, const char *reason) {
  error->tag = AIGEN_CONTROLLER_TYPES_ERROR_INVALID;
  error->val.invalid = aigen_text(reason);
  return false;
}

aigen_tokens aigen_encode(const char *text) {
  aigen_list_u8_t bytes = lent_bytes(text, strlen(text));
  aigen_controller_tokenizer_list_token_t tokens = {0};
  aigen_controller_tokenizer_encode(&bytes, false, &tokens);
  return (aigen_tokens){tokens.ptr, tokens.len};
}

/* Grammars. */

typedef aigen_controller_constraints_own_grammar_t grammar;

static bool begin(bool compiled, grammar made, aigen_matcher *matcher) {
  if (!compiled) return false;
  *matcher = aigen_controller_constraints_method_grammar_matcher(aigen_controller_constraints_borrow_grammar(made));
  aigen_controller_constraints_grammar_drop_own(made);
  return true;
}

bool aigen_json_schema(const char *schema, aigen_matcher *matcher, aigen_error *error) {
  aigen_string_t source = lent(schema);
  aigen_controller_constraints_json_options_t options = {false, false};
  grammar made = {0};
  bool compiled = aigen_controller_constraints_static_grammar_json_schema(&source, &options, &made, error);
  return begin(compiled, made, matcher);
}

bool aigen_regex(const char *pattern, aigen_matcher *matcher, aigen_error *error) {
  aigen_string_t source = lent(pattern);
  grammar made = {0};
  return begin(aigen_controller_constraints_static_grammar_regex(&source, &made, error), made, matcher);
}

bool aigen_lark(const char *text, aigen_matcher *matcher, aigen_error *error) {
  aigen_string_t source = lent(text);
  grammar made = {0};
  return begin(aigen_controller_constraints_static_grammar_lark(&source, &made, error), made, matcher);
}

bool aigen_choice(const char *const *options, size_t count, aigen_matcher *matcher, aigen_error *error) {
  aigen_list_string_t list = {calloc(count, sizeof(aigen_string_t)), count};
  for (size_t at = 0; at < count; at++) list.ptr[at] = lent(options[at]);
  grammar made = {0};
  bool compiled = aigen_controller_constraints_static_grammar_choice(&list, &made, error);
  free(list.ptr);
  return begin(compiled, made, matcher);
}

bool aigen_quote(const char *text, uint32_t words, aigen_matcher *matcher, aigen_error *error) {
  aigen_string_t source = lent(text);
  grammar made = {0};
  bool compiled = aigen_controller_constraints_static_grammar_quote(&source, words ? &words : NULL, &made, error);
  return begin(compiled, made, matcher);
}

aigen_matcher aigen_matcher_fork(aigen_matcher matcher) {
  return aigen_controller_constraints_method_matcher_fork(aigen_controller_constraints_borrow_matcher(matcher));
}

void aigen_matcher_drop(aigen_matcher matcher) { aigen_controller_constraints_matcher_drop_own(matcher); }

/* Decisions. What they have is given back by the bindings, once the host has read it. */

static void *decide(aigen_decision *decision, uint8_t tag) {
  memset(decision, 0, sizeof *decision);
  decision->tag = tag;
  return &decision->val;
}

aigen_segment_t *aigen_segment(aigen_decision *decision) {
  return decide(decision, EXPORTS_AIGEN_CONTROLLER_CONTROLLER_DECISION_GENERATE);
}

void aigen_under(aigen_segment_t *segment, aigen_matcher matcher) {
  segment->allow.tag = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_MASK_MATCHER;
  segment->allow.val.matcher =
      aigen_controller_constraints_method_matcher_id(aigen_controller_constraints_borrow_matcher(matcher));
}

void aigen_within(aigen_segment_t *segment, aigen_token_set tokens) {
  segment->allow.tag = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_MASK_TOKENS;
  segment->allow.val.tokens =
      aigen_controller_constraints_method_token_set_id(aigen_controller_constraints_borrow_token_set(tokens));
}

void aigen_until_tokens(aigen_segment_t *segment, uint32_t tokens) { segment->until.tokens = tokens; }

/* Makes room for one more. */
#define ONE_MORE(list) ((list).ptr = realloc((list).ptr, ((list).len + 1) * sizeof *(list).ptr), &(list).ptr[(list).len++])

void aigen_until_text(aigen_segment_t *segment, const char *text) {
  aigen_text_t owned = aigen_text(text);
  *ONE_MORE(segment->until.stops) = (aigen_list_u8_t){owned.ptr, owned.len};
}

void aigen_until_token(aigen_segment_t *segment, aigen_token token) { *ONE_MORE(segment->until.triggers) = token; }

void aigen_temperature(aigen_segment_t *segment, float temperature) {
  segment->params.temperature.is_some = true;
  segment->params.temperature.val = temperature;
}

void aigen_bias(aigen_segment_t *segment, aigen_token token, float bias) {
  exports_aigen_controller_controller_tuple2_token_f32_t *one = ONE_MORE(segment->bias);
  one->f0 = token;
  one->f1 = bias;
}

void aigen_observed(aigen_segment_t *segment) {
  segment->observe.tag = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_OBSERVE_SAMPLED;
}

void aigen_edit(aigen_decision *decision, uint32_t back, const char *text) {
  exports_aigen_controller_controller_edit_t *edit =
      decide(decision, EXPORTS_AIGEN_CONTROLLER_CONTROLLER_DECISION_EDIT);
  edit->backtrack = back;
  edit->tokens = aigen_encode(text);
}

void aigen_fork(aigen_decision *decision, uint32_t branches) {
  uint32_t *fork = decide(decision, EXPORTS_AIGEN_CONTROLLER_CONTROLLER_DECISION_FORK);
  *fork = branches;
}

void aigen_wait_for_variable(aigen_decision *decision, const char *name) {
  exports_aigen_controller_controller_waiting_t *waiting =
      decide(decision, EXPORTS_AIGEN_CONTROLLER_CONTROLLER_DECISION_SUSPEND);
  waiting->tag = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_WAITING_VARIABLES;
  *ONE_MORE(waiting->val.variables) = aigen_text(name);
}

static void end(aigen_decision *decision, bool keep) {
  exports_aigen_controller_controller_ending_t *ending =
      decide(decision, EXPORTS_AIGEN_CONTROLLER_CONTROLLER_DECISION_STOP);
  ending->reason = EXPORTS_AIGEN_CONTROLLER_CONTROLLER_REASON_DONE;
  ending->keep = keep;
}

void aigen_stop(aigen_decision *decision) { end(decision, true); }

void aigen_stop_unkept(aigen_decision *decision) { end(decision, false); }

/* Variables and output. */

bool aigen_set(const char *name, const void *value, size_t size, aigen_error *error) {
  aigen_string_t named = lent(name);
  aigen_list_u8_t bytes = lent_bytes(value, size);
  uint64_t version;
  return aigen_controller_variables_set(&named, &bytes, &version, error);
}

bool aigen_get(const char *name, aigen_list_u8_t *value) {
  aigen_string_t named = lent(name);
  aigen_controller_variables_versioned_t found;
  if (!aigen_controller_variables_get(&named, &found)) return false;
  *value = found.value;
  return true;
}

void aigen_hold(uint32_t tokens) { aigen_controller_output_hold(tokens); }

void aigen_commit(void) { aigen_controller_output_commit(); }

void aigen_log(const char *message) {
  aigen_string_t said = lent(message);
  aigen_controller_output_log(AIGEN_CONTROLLER_OUTPUT_LEVEL_INFO, &said);
}

/* What the host calls. A branch's state is what its handle stands for. */

typedef exports_aigen_controller_controller_own_session_t own_session;
typedef exports_aigen_controller_controller_session_t session;

bool exports_aigen_controller_controller_static_session_open(aigen_request *request, own_session *ret,
                                                             aigen_error *error) {
  void *state = calloc(1, controller.size);
  bool opened = controller.open(state, request, error);
  exports_aigen_controller_controller_request_free(request);
  if (opened) *ret = exports_aigen_controller_controller_session_new(state);
  return opened;
}

bool exports_aigen_controller_controller_method_session_prompt(
    session *self, exports_aigen_controller_controller_option_list_token_t *ret, aigen_error *error) {
  memset(ret, 0, sizeof *ret);
  if (!controller.prompt) return true;
  if (!controller.prompt(self, &ret->val, error)) return false;
  ret->is_some = ret->val.ptr != NULL;
  return true;
}

bool exports_aigen_controller_controller_method_session_step(session *self, aigen_step *step, aigen_decision *ret,
                                                             aigen_error *error) {
  bool decided = controller.step(self, step, ret, error);
  exports_aigen_controller_controller_step_free(step);
  return decided;
}

bool exports_aigen_controller_controller_method_session_fork(session *self, uint32_t index, own_session *ret,
                                                             aigen_error *error) {
  if (!controller.fork) return aigen_invalid(error, "it has no `fork`");
  void *copy = memcpy(malloc(controller.size), self, controller.size);
  if (!controller.fork(self, copy, index, error)) return false;
  *ret = exports_aigen_controller_controller_session_new(copy);
  return true;
}

void exports_aigen_controller_controller_method_session_finish(session *self, aigen_string_t *ret) {
  memset(ret, 0, sizeof *ret);
  if (controller.finish) controller.finish(self, ret);
}

void exports_aigen_controller_controller_session_destructor(session *self) {
  if (controller.close) controller.close(self);
  free(self);
}
