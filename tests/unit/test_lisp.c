/* The Lisp: what expressions give, what errors leave, that nothing in use is collected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/user/logic/lisp.h"
#include "kernel/user/user.h"
#include "tests/support/user_host.h"

enum { DEPTH_MAX = 1000, TEXT_MAX = 4096 };

static struct lisp lisp;

static int begin(void **state)
{
    (void)state;
    user_host_reset();
    return lisp_init(&lisp, DEPTH_MAX) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    lisp_free(&lisp);
    return 0;
}

/* What the last expression gave: its value, or "error: why: culprit". */
static const char *answer(const char *text)
{
    static char printed[TEXT_MAX];
    struct cell *expression;

    format_text(printed, sizeof printed, "nothing");
    for (;;) {
        enum lisp_read got = lisp_read(&lisp, &text, &expression);
        if (got == LISP_INCOMPLETE)
            return "incomplete";
        if (got == LISP_BLANK)
            return printed;
        struct cell *value = got == LISP_READ ? lisp_eval(&lisp, expression) : NULL;
        size_t used = 0;
        if (!value)
            used = format_text(printed, sizeof printed, "error: %s%s", lisp.error,
                               lisp.culprit ? ": " : "");
        if (value || lisp.culprit)
            lisp_print(&lisp, value ? value : lisp.culprit, printed + used,
                       sizeof printed - used);
        if (!value)
            return printed;
    }
}

static const char *const cases[][2] = {
    { "", "nothing" },
    { "42", "42" },
    { "-7 ; seven", "-7" },
    { "9223372036854775807", "9223372036854775807" },
    { "9223372036854775808", "error: a number beyond 64 bits" },
    { "(+ 1 2 3)", "6" },
    { "(+)", "0" },
    { "(- 5)", "-5" },
    { "(- 10 1 2)", "7" },
    { "(* 2 3 4)", "24" },
    { "(/ 17 5)", "3" },
    { "(% 17 5)", "2" },
    { "(/ 1 0)", "error: division by zero" },
    { "(/ (- -9223372036854775807 1) -1)", "error: a number beyond 64 bits" },
    { "(* 4294967296 4294967296)", "error: a number beyond 64 bits" },
    { "(+ 1 'a)", "error: not a number: a" },
    { "(< 1 2 3)", "t" },
    { "(< 1 3 2)", "nil" },
    { "(> 2 1)", "t" },
    { "(= 2 2 2)", "t" },
    { "'(a (b c) d)", "(a (b c) d)" },
    { "(cons 1 2)", "(1 . 2)" },
    { "(cons 1 '(2))", "(1 2)" },
    { "(car '(1 2))", "1" },
    { "(cdr '(1 2))", "(2)" },
    { "(cdr 1)", "error: not a pair: 1" },
    { "(car)", "error: not that many arguments: nil" },
    { "(list 1 (list) 2)", "(1 nil 2)" },
    { "(null? ())", "t" },
    { "(pair? '(1))", "t" },
    { "(eq? 'a 'a)", "t" },
    { "(eq? 3 3)", "t" },
    { "(eq? '(1) '(1))", "nil" },
    { "(not 1)", "nil" },
    { "(if nil 1 2)", "2" },
    { "(if 0 1 2)", "1" },
    { "(if nil 1)", "nil" },
    { "(if 1)", "error: something is missing in: (if 1)" },
    { "(and 1 2)", "2" },
    { "(and nil oops)", "nil" },
    { "(and)", "t" },
    { "(or nil 3 oops)", "3" },
    { "(or)", "nil" },
    { "(begin)", "nil" },
    { "(begin 1 2 3)", "3" },
    { "(let ((a 1) (b 2)) (+ a b))", "3" },
    { "(let ((a 1)) (let ((a 2) (b a)) (list a b)))", "(2 1)" },
    { "(let (a) a)", "error: not (name value): a" },
    { "(let ((5 1)) 2)", "error: cannot get a value: 5" },
    { "((lambda (x y) (- x y)) 5 3)", "2" },
    { "((lambda x x) 1 2)", "(1 2)" },
    { "((lambda (x) x))", "error: an argument is missing for: x" },
    { "((lambda (x) x) 1 2)", "error: an argument too many: 2" },
    { "(lambda (1) 2)", "error: cannot get a value: 1" },
    { "(5 1)", "error: not a function: 5" },
    { "oops", "error: not defined: oops" },
    { "(define nil 1)", "error: cannot get a value: nil" },
    { "(set! oops 1)", "error: not defined: oops" },
    { "(define a 1) (set! a 2) a", "2" },
    { "(define (make n) (lambda () (set! n (+ n 1)))) (define c (make 5)) (c) (c)", "7" },
    { "(define (fib n) (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2))))) (fib 15)", "610" },
    { "(define (map f l) (if (null? l) nil (cons (f (car l)) (map f (cdr l)))))"
      "(map (lambda (x) (* x x)) '(1 2 3 4))",
      "(1 4 9 16)" },
    { "(define (deep n) (+ 1 (deep n))) (deep 1)", "error: too deep" },
    { ")", "error: a ) too many" },
    { "(+ 1", "incomplete" },
    { "'", "incomplete" },
    { "(quote)", "error: something is missing in: (quote)" },
    { "car", "<builtin>" },
    { "(list if (lambda () 1))", "(<form> <lambda>)" },
};

static void check_cases(void)
{
    for (size_t at = 0; at < ARRAY_LENGTH(cases); at++)
        assert_string_equal(answer(cases[at][0]), cases[at][1]);
}

static void lisp_eval__expressions__give_their_values(void **state)
{
    (void)state;
    check_cases();
}

/* Collected before each step of each evaluation: whatever is in use and not held shows. */
static void lisp_eval__collected_all_the_time__gives_the_same(void **state)
{
    (void)state;
    lisp.collect_at = 0;
    lisp.slack = 1;
    lisp.growth = 0;
    check_cases();
    assert_true(lisp.cells < 5000);
}

static void lisp_eval__long_loop__takes_neither_stack_nor_memory(void **state)
{
    (void)state;
    assert_string_equal(answer("(define (loop n s) (if (= n 0) s (loop (- n 1) (+ s n))))"
                               "(loop 200000 0)"),
                        "20000100000");
    assert_true(lisp.cells < 50000);
}

static void lisp_eval__no_memory__an_error_and_what_was_defined_stays(void **state)
{
    (void)state;
    assert_string_equal(answer("(define kept '(1 2 3))"), "kept");
    user_host_limit(1000000);
    assert_string_equal(answer("(define (grow l) (grow (cons 1 l))) (grow nil)"),
                        "error: no memory");
    assert_string_equal(answer("kept"), "(1 2 3)");
    assert_string_equal(answer("(+ 1 2)"), "3");
}

static void lisp_read__nested_beyond_the_limit__is_refused(void **state)
{
    char text[DEPTH_MAX + 100];

    (void)state;
    memset(text, '(', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_string_equal(answer(text), "error: nested too deep");
}

static void lisp_read__incomplete__text_stays_for_the_next_line(void **state)
{
    const char *text = "1 (+ 2", *start = text;
    struct cell *expression;

    (void)state;
    assert_int_equal(lisp_read(&lisp, &text, &expression), LISP_READ);
    assert_int_equal(text - start, 1);
    assert_int_equal(lisp_read(&lisp, &text, &expression), LISP_INCOMPLETE);
    assert_int_equal(text - start, 1);
}

static void lisp_print__small_buffer__cut_off_and_counted(void **state)
{
    const char *text = "'(1000 2000 3000)";
    struct cell *expression;
    char printed[8];

    (void)state;
    assert_int_equal(lisp_read(&lisp, &text, &expression), LISP_READ);
    const struct cell *value = lisp_eval(&lisp, expression);
    assert_int_equal(lisp_print(&lisp, value, printed, sizeof printed), 16);
    assert_string_equal(printed, "(1000 2");
}

/* Any bytes: an answer, and no harm. */
static void lisp__random_texts__never_die(void **state)
{
    static const char *const words[] = { "(",      "(",   "(",  ")",    ")",     ")",
                                         " ",      "'",   "a",  "b",    "nil",   "define",
                                         "lambda", "let", "if", "set!", "begin", "car",
                                         "cons",   "+",   "-",  "1",    "99",    "=",
                                         "or",     "." };
    u64 seed = 5;

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char text[400] = "";
        size_t used = 0;
        for (u64 count = random_draw(&seed) % 40; count > 0; count--)
            used += format_text(text + used, sizeof text - used, "%s ",
                                words[random_draw(&seed) % ARRAY_LENGTH(words)]);
        answer(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lisp_eval__expressions__give_their_values, begin,
                                        end),
        cmocka_unit_test_setup_teardown(lisp_eval__collected_all_the_time__gives_the_same,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            lisp_eval__long_loop__takes_neither_stack_nor_memory, begin, end),
        cmocka_unit_test_setup_teardown(
            lisp_eval__no_memory__an_error_and_what_was_defined_stays, begin, end),
        cmocka_unit_test_setup_teardown(lisp_read__nested_beyond_the_limit__is_refused,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            lisp_read__incomplete__text_stays_for_the_next_line, begin, end),
        cmocka_unit_test_setup_teardown(lisp_print__small_buffer__cut_off_and_counted,
                                        begin, end),
        cmocka_unit_test_setup_teardown(lisp__random_texts__never_die, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
