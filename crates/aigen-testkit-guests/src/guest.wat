;; A controller by hand. `;;IMPORTS`, `;;TEXT`, `;;START`, `;;OPEN`, `;;STEP` and `;;FINISH` are replaced; a step
;; answers by a call of one of the functions below. The answer lies at 1024: its first byte says
;; whether it is an error, byte 4 which decision it is, and from byte 8 on the decision.
(module
  (import "[export]aigen:controller/controller@0.1.0" "[resource-new]session"
    (func $new (param i32) (result i32)))
  ;;IMPORTS
  (memory (export "memory") 2)
  (global $free (mut i32) (i32.const 8192))
  (global $steps (mut i32) (i32.const 0))
  ;; The first four letters name its variable; what it says in the end is JSON; and what it is given.
  (data (i32.const 16) "name of something")
  (data (i32.const 40) "\22name\22")
  (data (i32.const 256) ";;TEXT")
  (func (export "cabi_realloc") (param $old i32) (param $old_size i32) (param i32) (param $size i32)
    (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get $size)))
    (local.get $at))
  (func $clear (memory.fill (i32.const 1024) (i32.const 0) (i32.const 128)))
  ;; So many tokens, all of them allowed.
  (func $any (param $tokens i32)
    (call $clear)
    (i32.store (i32.const 1092) (local.get $tokens)))
  ;; So many tokens of the matcher of this id.
  (func $matching (param $matcher i32) (param $tokens i32)
    (call $any (local.get $tokens))
    (i32.store8 (i32.const 1032) (i32.const 1))
    (i32.store (i32.const 1036) (local.get $matcher)))
  ;; Of the token set of this id.
  (func $of (param $set i32)
    (call $any (i32.const 1))
    (i32.store8 (i32.const 1032) (i32.const 2))
    (i32.store (i32.const 1036) (local.get $set)))
  (func $backtrack (param $tokens i32)
    (call $edit (local.get $tokens) (i32.const 0) (i32.const 0)))
  ;; Takes tokens back and appends those that lie there.
  (func $edit (param $back i32) (param $at i32) (param $count i32)
    (call $clear)
    (i32.store8 (i32.const 1028) (i32.const 1))
    (i32.store (i32.const 1032) (local.get $back))
    (i32.store (i32.const 1036) (local.get $at))
    (i32.store (i32.const 1040) (local.get $count)))
  (func $fork (param $count i32)
    (call $clear)
    (i32.store8 (i32.const 1028) (i32.const 2))
    (i32.store (i32.const 1032) (local.get $count)))
  ;; Waits for the variable `name`.
  (func $wait
    (call $clear)
    (i32.store8 (i32.const 1028) (i32.const 3))
    (i32.store (i32.const 1036) (i32.const 1152))
    (i32.store (i32.const 1040) (i32.const 1))
    (i32.store (i32.const 1152) (i32.const 16))
    (i32.store (i32.const 1156) (i32.const 4)))
  (func $stop
    (call $clear)
    (i32.store8 (i32.const 1028) (i32.const 4))
    (i32.store8 (i32.const 1033) (i32.const 1)))
  ;; How long the text there is, which ends with a zero.
  (func $length (param $from i32) (result i32) (local $at i32)
    (local.set $at (local.get $from))
    (loop $next
      (if (i32.load8_u (local.get $at))
        (then (local.set $at (i32.add (local.get $at) (i32.const 1))) (br $next))))
    (i32.sub (local.get $at) (local.get $from)))
  ;; One segment of the grammar whose result lies at 2048, and then the end; a trap if it is none.
  (func $obeying
    (if (i32.load8_u (i32.const 2048)) (then unreachable))
    (if (i32.gt_u (global.get $steps) (i32.const 1))
      (then (call $stop))
      (else
        (call $matching
          (call $matcher_id (call $matcher (i32.load (i32.const 2052)))) (i32.const 0)))))
  ;; A loop of so many rounds.
  (func $compute (param $rounds i32)
    (loop $again
      (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
      (br_if $again (local.get $rounds))))
  (func $start
    ;;START
    nop)
  (start $start)
  (func (export "aigen:controller/controller@0.1.0#[static]session.open")
    (param i32 i32 i32 i32 i32 i32 i32 i32 i64 i32 i32 i32) (result i32)
    ;;OPEN
    (i32.store (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1028) (call $new (i32.const 7)))
    (i32.const 1024))
  (func (export "aigen:controller/controller@0.1.0#[method]session.prompt")
    (param i32) (result i32)
    (call $clear)
    (i32.const 1024))
  (func (export "aigen:controller/controller@0.1.0#[method]session.step")
    (param $session i32) (param $branch i32) (param $position i32) (param i32) (param $appended i32)
    (param i32) (param i32) (param i32) (param i32) (param f32) (param i32) (param i32)
    (param $why i32) (param i32) (param i32) (result i32)
    (global.set $steps (i32.add (global.get $steps) (i32.const 1)))
    ;;STEP
    (global.set $free (i32.const 8192))
    (i32.const 1024))
  (func (export "aigen:controller/controller@0.1.0#[method]session.fork")
    (param i32 i32) (result i32)
    (i32.store (i32.const 1024) (i32.const 0))
    (i32.store (i32.const 1028) (call $new (local.get 1)))
    (i32.const 1024))
  (func (export "aigen:controller/controller@0.1.0#[method]session.finish")
    (param i32) (result i32)
    ;;FINISH
    (i32.store (i32.const 1024) (i32.const 40))
    (i32.store (i32.const 1028) (i32.const 6))
    (i32.const 1024)))
