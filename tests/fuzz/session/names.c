/*
 * The names that the session fuzzer knows, each with what put-protocol(7)
 * section 4 says of it. Few, so that they meet.
 */
#include "frame.h"

#include <string.h>

static char long_component[256], too_long_component[257];
static char long_name[4096], too_long_name[4097], long_kept[253];

struct name_entry names[NAMES] = {
    {"a", NULL, NAME_FINE}, {"b", "\\u0062", NAME_FINE},
    {"a.~1~", NULL, NAME_FINE}, {"a.~2~", NULL, NAME_FINE},
    {"d", NULL, NAME_FINE}, {"d/x", NULL, NAME_FINE},
    {"d/y", "d\\/y", NAME_FINE}, {"d/e/z", NULL, NAME_FINE},
    {"d/x/y", NULL, NAME_FINE}, {"n/m/o", NULL, NAME_FINE},
    {"n", NULL, NAME_FINE},
    {"s", NULL, NAME_FINE}, /* perhaps a symbolic link to d */
    {"s/x", NULL, NAME_FINE},
    {"t", NULL, NAME_FINE}, /* perhaps one out of the root */
    {"p", NULL, NAME_FINE}, /* perhaps a fifo */
    {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x98", NULL, NAME_FINE},
    {"\xe2\x80\xae"
     "cod",
	"\\u202ecod", NAME_FINE},
    {"q\"\\", "q\\\"\\\\", NAME_FINE}, {long_component, NULL, NAME_FINE},
    {long_name, NULL, NAME_FINE}, {long_kept, NULL, NAME_FINE},
    {".h", NULL, NAME_HIDDEN}, {"d/.h", NULL, NAME_HIDDEN},
    {"d/.putd", NULL, NAME_HIDDEN}, {"", NULL, NAME_BAD},
    {"/a", NULL, NAME_BAD}, {"a/", NULL, NAME_BAD}, {"d//x", NULL, NAME_BAD},
    {"d/./x", NULL, NAME_BAD}, {"d/../x", NULL, NAME_BAD},
    {".putd", NULL, NAME_BAD}, {".PutD/x", NULL, NAME_BAD},
    {"a\x01", "a\\u0001", NAME_BAD}, {"a\xc2\x85", NULL, NAME_BAD},
    {too_long_component, NULL, NAME_BAD}, {too_long_name, NULL, NAME_BAD},
    {"u", NULL, NAME_FINE}, /* perhaps a symbolic link to a */
};

void names_prepare(void)
{
	memset(long_component, 'l', 255);
	memset(too_long_component, 'm', 256);
	memset(long_kept, 'k', 252); /* .~1~ does not fit */
	memset(long_name, 'w', 4095);
	memset(too_long_name, 'w', 4096);
	for (int i = 255; i < 4095; i += 256)
		long_name[i] = too_long_name[i] = '/';
	too_long_name[4093] = '/'; /* the last component is no longer */
}

const char *const ids[IDS] = {"0123456789abcdef",
    ("a_b-c_d-e_f-g_h-i_j-k_l-m_n-o_p-"
     "a_b-c_d-e_f-g_h-i_j-k_l-m_n-o_p-"),
    "zzzzzzzzzzzzzzzzz"};
