"""The public site map."""

from django.urls import path

from zhixin_web.faces.portal import announcements, data, enterprise, rules, tour, views

urlpatterns = [
    path("", views.home, name="home"),
    path("s", views.search, name="search"),
    path("e/<str:code>", enterprise.enterprise, name="enterprise"),
    path("e/<str:code>/why", enterprise.why, name="public_why"),
    path("e/<str:code>/report.pdf", enterprise.report_pdf, name="report_pdf"),
    path("e/<str:code>/r/<int:seq>", enterprise.record, name="public_record"),
    path("e/<str:code>/r/<int:seq>/report", enterprise.report_error, name="report_error"),
    path("t/<str:code>", enterprise.report_status, name="report_status"),
    path("pub", announcements.overview, name="announcements"),
    path("pub/<slug:kind>", announcements.column, name="column"),
    path("pub/<slug:kind>.rss", announcements.rss, name="feed"),
    path("pub/<slug:kind>.csv", announcements.table, name="column_csv"),
    path("rules", rules.rules, name="rules"),
    path("rules/<int:pk>", rules.version, name="rules_version"),
    path("rules/<int:pk>.yaml", rules.text, name="rules_text"),
    path("rules/<int:old>/diff/<int:new>", rules.difference, name="rules_difference"),
    path("rules/<int:pk>/document.<slug:form>", rules.document, name="rules_document"),
    path("measures", rules.measures, name="measures"),
    path("consultations", rules.consultations, name="consultations"),
    path("consultations/<int:pk>", rules.consultation, name="consultation"),
    path("data", data.data, name="data"),
    path("data/changes", data.changes, name="data_changes"),
    path("data/schema.json", data.data_schema, name="data_schema"),
    path("data/files/<str:name>", data.download, name="data_file"),
    path("v", data.verify, name="verify"),
    path("v/<str:code>", data.verify_paper, name="verify_paper"),
    path("ledger", data.ledger, name="public_ledger"),
    path("stats", data.statistics, name="statistics"),
    path("fairness", data.fairness, name="fairness"),
    path("help", views.help_page, name="help"),
    path("help/site-check", views.site_check, name="site_check"),
    path("tour", tour.tour, name="tour"),
    path("preferences", views.preferences, name="preferences"),
]
