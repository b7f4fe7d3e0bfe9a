"""What a message wants, in seven dialects and English."""

from typing import Any

import pytest

from tests.understanding.asking import ask, short

INTENTS: list[tuple[str, list[str]]] = [
    (
        "affirm",
        [
            "نعم",
            "أيوه",
            "اه تمام",
            "إي والله",
            "وخا",
            "زين",
            "أكيد",
            "موافق",
            "ماشي",
            "👍",
            "✅",
            "yes",
            "ok",
            "باهي",
            "اي نعم",
        ],
    ),
    ("deny", ["لا", "لأ", "لا شكرا", "مو موافق", "مش عايز", "ما بدي", "👎", "no", "لا مش كده", "ما ابي"]),
    ("unsure", ["مش عارف", "مدري", "محتار", "ما بعرف", "🤔"]),
    ("greet", ["مرحبا", "السلام عليكم", "صباح الخير", "هلا والله", "hello", "أهلين"]),
    ("thanks", ["شكرا جزيلا", "تسلم", "يعطيك العافية", "ميرسي", "thank you", "بارك الله فيك"]),
    ("help", ["مساعدة", "ساعدني", "ايش تقدر تسوي", "help"]),
    ("leave", ["إلغاء", "كنسل", "cancel", "انسى الموضوع"]),
    ("back", ["رجوع", "ارجع", "back"]),
    ("resume", ["متابعة", "كمّل", "استمر", "تابع"]),
    ("stop", ["إيقاف", "وقّف", "وقف الرسائل", "stop"]),
    ("human", ["موظف", "عايز اكلم موظف", "بدي احكي مع حدا", "خدمة العملاء", "I want to talk to an agent"]),
    (
        "cancel_booking",
        ["الغي الحجز بتاعي", "كنسل حجزي", "cancel my booking", "بدي الغي حجزي", "رجعوا لي فلوسي"],
    ),
    ("my_trips", ["رحلاتي", "فين حجوزاتي", "وين حجزي", "my trips"]),
    ("more", ["المزيد", "وريني كمان", "show more", "خيارات ثانية"]),
    ("compare_hotels", ["قارن بينهم", "ايش الفرق بينهم", "compare them"]),
    ("read_reviews", ["شو رأي الناس بالفندق؟", "التقييمات والآراء آراء النزلاء", "reviews please"]),
    ("save_favourite", ["ضيفه للمفضلة", "احفظه"]),
    ("share", ["شارك الفندق مع صاحبي", "ابعته لمراتي"]),
    ("referral", ["رابط الدعوة", "دعوة الأصدقاء", "عندي كود خصم"]),
    ("join_logins", ["رمز الربط", "عايز اربط حسابي", "link my account"]),
    ("privacy_delete", ["امسح بياناتي", "احذف حسابي", "delete my data"]),
    (
        "change_dates",
        ["غير التاريخ", "عايز اغير المواعيد", "نأجل", "change the dates", "خليها من 20 إلى 22 مايو"],
    ),
    ("change_destination", ["غير الوجهة", "خليها دبي", "مدينة ثانية"]),
    ("change_budget", ["غير الميزانية", "زود الميزانية ميتين"]),
    (
        "ask_price",
        ["بكم الليلة؟", "كم السعر", "شحال الثمن ديال ليلة فمراكش؟", "قديش بيطلع؟", "بكام", "how much is it"],
    ),
    ("photos", ["وريني صور الاول", "بغيت نشوف التصاور", "send me photos"]),
    ("map", ["فين مكانه على الخريطة", "وين هاد الاوتيل؟", "where is it on the map"]),
    ("other_rooms", ["ما في غرف غير هاي؟", "غرفة أخرى", "any other rooms"]),
    ("new_search", ["بحث جديد", "نبدأ من جديد", "start over"]),
    ("show_results", ["رجعني للنتائج", "show me the results"]),
    ("hotel_details", ["متى وقت الدخول؟", "تفاصيل الفندق", "what time is check in"]),
    ("sort", ["رتب حسب السعر", "الأعلى تقييما", "الأرخص"]),
    ("language", ["بالانجليزي", "English please", "بالعربي", "غير اللغة"]),
    ("book", ["احجز الثاني", "احجزه", "خذه لي احجزه", "عايز احجز الفندق ده", "book it"]),
    (
        "search_hotels",
        [
            "عايز فندق في القاهرة",
            "أبي فندق بالرياض",
            "بدي أوتيل ببيروت",
            "بغيت أوطيل فأكادير",
            "نحب نحجز نزل في الحمامات",
            "اريد فندق بأربيل",
            "أبحث عن فندق",
            "دبي",
            "حجز فندق في جدة",
            "3ayez fondo2 f sharm",
            "hotels in Cairo",
        ],
    ),
    ("inform", ["لشخصين", "٣ ليالي", "من 20 إلى 23 مارس", "500 ريال لليلة", "الثاني", "فيه مسبح"]),
    (
        "out_of_scope",
        [
            "بطاقتي ما تشتغل",
            "كيف الطقس اليوم",
            "صحيني الساعة 7",
            "شغل أغنية",
            "احجز طاولة في مطعم لأربعة",
            "مين فاز في المباراة",
            "عندي مشكلة في التحويل",
            "ذكرني بكرة اشتري حليب",
            "قولي نكتة",
            "بسكليت ازرق جديد",
        ],
    ),
]
ROWS = [(text, intent) for intent, texts in INTENTS for text in texts]


@pytest.mark.parametrize(("text", "intent"), ROWS, ids=[text for text, _ in ROWS])
def test_intents(text: str, intent: str) -> None:
    assert ask(text).intent == intent


SENTENCES: list[tuple[str, str, dict[str, Any]]] = [
    (
        "عايز فندق في شرم الشيخ أسبوع من ١٥ أبريل لاتنين",
        "search_hotels",
        {"destination": "Sharm el-Sheikh EG", "check_in": "2026-04-15", "nights": 7, "guests": 2},
    ),
    (
        "فندق هادئ في الإسكندرية من 20 إلى 23 مارس لشخصين، حتى 1,500 جنيه لليلة",
        "search_hotels",
        {
            "destination": "Alexandria EG",
            "check_in": "2026-03-20",
            "check_out": "2026-03-23",
            "guests": 2,
            "budget_max": 1500,
            "currency": "EGP",
            "budget_per": "night",
            "amenities": ["quiet"],
        },
    ),
    (
        "ابي فندق بدبي 3 ليالي بكرة حتى 500 ريال لليلة",
        "search_hotels",
        {
            "destination": "Dubai AE",
            "nights": 3,
            "check_in": "2026-01-15",
            "budget_max": 500,
            "currency": "SAR",
            "budget_per": "night",
        },
    ),
    (
        "بدي أوتيل ببيروت حد البحر لتلات ليالي",
        "search_hotels",
        {"destination": "Beirut LB", "nights": 3, "amenities": ["beach"]},
    ),
    (
        "بغيت أوطيل فأكادير نهار الجمعة لجوج د الناس",
        "search_hotels",
        {"destination": "Agadir MA", "check_in": "2026-01-16", "guests": 2},
    ),
    (
        "اريد فندق بأربيل عقب باچر لثلاث ليالي",
        "search_hotels",
        {"destination": "Erbil IQ", "check_in": "2026-01-16", "nights": 3},
    ),
    ("نحب شومبر في سوسة لزوز", "search_hotels", {"destination": "Sousse TN", "guests": 2}),
    (
        "عايزين نسافر الغردقة 4 أفراد من 1 لـ 5 فبراير",
        "search_hotels",
        {"destination": "Hurghada EG", "check_in": "2026-02-01", "check_out": "2026-02-05", "guests": 4},
    ),
    (
        "ابغى فندق في مكة يطل على الحرم من ١٠ رمضان إلى ٢٠ رمضان",
        "search_hotels",
        {
            "destination": "Mecca SA",
            "check_in": "2026-02-27",
            "check_out": "2026-03-09",
            "amenities": ["haram_view"],
        },
    ),
    (
        "فندق 4 نجوم في الدوحة من 12/5 إلى 15/5 لثلاثة أشخاص مع إلغاء مجاني",
        "search_hotels",
        {
            "destination": "Doha QA",
            "stars": 4,
            "check_in": "2026-05-12",
            "check_out": "2026-05-15",
            "guests": 3,
            "free_cancellation": True,
        },
    ),
    ("أرخص فندق في دبي", "search_hotels", {"destination": "Dubai AE", "sort": "price"}),
    ("فندق رخيص في اسطنبول", "search_hotels", {"destination": "Istanbul TR", "price_level": "cheap"}),
    ("فندق ٥ نجوم فيه مسبح وواي فاي", "search_hotels", {"stars": 5, "amenities": ["pool", "wifi"]}),
    ("فندق تقييمه فوق 8 من 10 في جدة", "search_hotels", {"destination": "Jeddah SA", "rating_min": 8}),
    (
        "hotel in Dubai for 2 from 15 April",
        "search_hotels",
        {"destination": "Dubai AE", "guests": 2, "check_in": "2026-04-15"},
    ),
    (
        "I need a hotel in Istanbul from 3 to 7 May for 2 adults and 1 child",
        "search_hotels",
        {
            "destination": "Istanbul TR",
            "check_in": "2026-05-03",
            "check_out": "2026-05-07",
            "adults": 2,
            "children": 1,
        },
    ),
    (
        "3ayez fondo2 f sharm bokra lelten",
        "search_hotels",
        {"destination": "Sharm el-Sheikh EG", "check_in": "2026-01-15", "nights": 2},
    ),
    ("قداش الليلة في جربة؟", "ask_price", {"destination": "Djerba TN", "budget_per": "night"}),
    ("قارن بين الأول والثالث", "compare_hotels", {"choices": [1, 3]}),
    ("احجز رقم 2", "book", {"choices": [2]}),
    ("احجزلي الفندق التاني", "book", {"choices": [2]}),
    ("عايز أغير عدد الأشخاص لـ 4", "change_guests", {"guests": 4}),
    ("لا مش بكرة، بعد بكرة", "change_dates", {"check_in": "2026-01-16"}),
    ("التالت كويس، شو تقييماته؟", "read_reviews", {"choices": [3]}),
    ("what about next week instead", "change_dates", {"check_in": "2026-01-18"}),
    ("اللي بعده", "inform", {"choices": ["next"]}),
    ("غير التاريخ ل ٢٥ مارس", "change_dates", {"check_in": "2026-03-25"}),
    ("English please", "language", {"language": "en"}),
    ("رد بالعربي", "language", {"language": "ar"}),
    ("اسمي محمد علي", "inform", {"guest_name": "محمد علي"}),
]


@pytest.mark.parametrize(("text", "intent", "slots"), SENTENCES, ids=[text for text, _, _ in SENTENCES])
def test_whole_sentences(text: str, intent: str, slots: dict[str, Any]) -> None:
    said = ask(text)
    assert (said.intent, short(said.slots)) == (intent, slots)


@pytest.mark.parametrize(
    ("asked", "text", "intent", "slots"),
    [
        ("confirm", "نعم", "affirm", {}),
        ("confirm", "أؤكد الحجز", "affirm", {}),
        ("confirm", "نعم بس في المدينة", "inform", {"destination": "Medina SA"}),
        ("confirm", "لا خليها ٣ ليالي", "change_dates", {"nights": 3}),
        ("destination", "دبي", "inform", {"destination": "Dubai AE"}),
        ("name", "سارة الأحمد", "inform", {"guest_name": "سارة الأحمد"}),
        ("name", "Sara Al Ahmad", "inform", {"guest_name": "Sara Al Ahmad"}),
        ("name", "إلغاء", "leave", {}),
        ("name", "عايز موظف", "human", {}),
        ("guests", "إلغاء", "leave", {}),
    ],
)
def test_answers(asked: str, text: str, intent: str, slots: dict[str, Any]) -> None:
    said = ask(text, asked)
    assert (said.intent, short(said.slots)) == (intent, slots)


@pytest.mark.parametrize(
    ("text", "mood"),
    [
        ("عايز فندق في دبي", "neutral"),
        ("محتاج فندق بسرعة ضروري النهارده", "urgent"),
        ("زهقت من الخدمة دي", "frustrated"),
        ("متحمسين جدا للسفر!!", "excited"),
        ("محتار بين دبي وأبوظبي", "hesitant"),
    ],
)
def test_moods(text: str, mood: str) -> None:
    assert ask(text).emotional_state == mood


def test_out_of_scope_carries_no_slots() -> None:
    assert ask("ذكرني بكرة اشتري حليب").slots == {}
