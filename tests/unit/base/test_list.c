#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/list.h"

struct item {
	int value;
	struct list_node node;
	struct tailq_node queued;
};

static void test_list_keeps_order(void **state)
{
	struct item items[3] = { { .value = 0 }, { .value = 1 }, { .value = 2 } };
	struct list_node head;
	int expected = 0;

	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_add_tail(&head, &items[i].node);

	for (struct list_node *n = head.next; n != &head; n = n->next)
		assert_int_equal(list_entry(n, struct item, node)->value, expected++);
	assert_int_equal(expected, 3);
}

static void test_list_delete_from_the_middle(void **state)
{
	struct item items[3] = { { .value = 0 }, { .value = 1 }, { .value = 2 } };
	struct list_node head;

	list_init(&head);
	for (int i = 0; i < 3; i++)
		list_add_tail(&head, &items[i].node);
	list_del(&items[1].node);

	assert_ptr_equal(head.next, &items[0].node);
	assert_ptr_equal(items[0].node.next, &items[2].node);
	assert_ptr_equal(items[2].node.prev, &items[0].node);
	assert_ptr_equal(head.prev, &items[2].node);
}

static void test_list_delete_twice_is_harmless(void **state)
{
	struct item gone = { .value = 0 };
	struct item stays = { .value = 1 };
	struct list_node head;

	list_init(&head);
	list_add_tail(&head, &gone.node);
	assert_false(list_empty(&head));

	list_del(&gone.node);
	assert_true(list_empty(&head));
	list_add_tail(&head, &stays.node);
	list_del(&gone.node);

	assert_ptr_equal(head.next, &stays.node);
	assert_ptr_equal(head.prev, &stays.node);
}

static void test_tailq_is_first_in_first_out(void **state)
{
	struct item a = { .value = 1 };
	struct item b = { .value = 2 };
	struct tailq q;

	tailq_init(&q);
	tailq_push(&q, &a.queued);
	tailq_push(&q, &b.queued);

	assert_int_equal(list_entry(tailq_pop(&q), struct item, queued)->value, 1);
	assert_int_equal(list_entry(tailq_pop(&q), struct item, queued)->value, 2);
	assert_null(tailq_pop(&q));
}

static void test_tailq_fills_again_after_it_ran_empty(void **state)
{
	struct item a = { .value = 1 };
	struct tailq q;

	tailq_init(&q);
	tailq_push(&q, &a.queued);
	tailq_pop(&q);
	assert_true(tailq_empty(&q));
	tailq_push(&q, &a.queued);

	assert_false(tailq_empty(&q));
	assert_ptr_equal(tailq_pop(&q), &a.queued);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_keeps_order),
		cmocka_unit_test(test_list_delete_from_the_middle),
		cmocka_unit_test(test_list_delete_twice_is_harmless),
		cmocka_unit_test(test_tailq_is_first_in_first_out),
		cmocka_unit_test(test_tailq_fills_again_after_it_ran_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
