from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rules', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='JudgedMark',
            fields=[
                ('stream', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('arrival', models.BigIntegerField()),
            ],
        ),
    ]
